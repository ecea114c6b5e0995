package io.pilotlight.daemon.function;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.descriptor.DescriptorOptions;
import io.pilotlight.descriptor.DescriptorPolicy;
import io.pilotlight.descriptor.DescriptorRule;
import io.pilotlight.descriptor.PolicyException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The fields that say what is done about open descriptors. {@code fdPolicy} is in a request the
 * absolute path of a policy, or a list of its rules; stored and shown it is the list, since the
 * file may change. {@code agent} names what the agent does on request.
 */
final class DescriptorsJson {
  static final String POLICY = "fdPolicy";
  static final String AGENT = "agent";
  private static final String TRACK_DESCRIPTORS = "trackDescriptors";

  private final AllowedRoots roots;

  DescriptorsJson(AllowedRoots roots) {
    this.roots = roots;
  }

  DescriptorOptions read(JsonFields fields) throws InvalidFieldException {
    return new DescriptorOptions(policy(fields), tracked(fields));
  }

  private static boolean tracked(JsonFields fields) throws InvalidFieldException {
    String option = fields.text(AGENT, "");
    if (option.isEmpty() || option.equals(TRACK_DESCRIPTORS)) {
      return !option.isEmpty();
    }
    throw new InvalidFieldException(
        AGENT,
        "field '" + AGENT + "' is \"" + option + "\"; \"" + TRACK_DESCRIPTORS + "\" is allowed");
  }

  private DescriptorPolicy policy(JsonFields fields) throws InvalidFieldException {
    if (!fields.has(POLICY)) {
      return DescriptorPolicy.NONE;
    }
    return fields.raw(POLICY).isTextual()
        ? ofFile(POLICY, roots.real(POLICY, fields.path(POLICY, Path.of("/"))))
        : ofRules(fields);
  }

  /**
   * Reads a file of the daemon's machine.
   *
   * @throws InvalidFieldException naming the file, and the line that is wrong
   */
  static DescriptorPolicy ofFile(String field, Path file) throws InvalidFieldException {
    try {
      if (!Files.isRegularFile(file) || Files.size(file) > DescriptorPolicy.MAX_CHARS) {
        throw invalid(
            field, file + ", which is no file of at most " + DescriptorPolicy.MAX_CHARS + " bytes");
      }
      return DescriptorPolicy.parse(Files.readString(file));
    } catch (PolicyException e) {
      throw invalid(field, file + ", " + e.getMessage());
    } catch (CharacterCodingException e) {
      throw invalid(field, file + ", which is no UTF-8 text");
    } catch (IOException e) {
      throw invalid(field, file + ", which cannot be read: " + e);
    }
  }

  private static DescriptorPolicy ofRules(JsonFields fields) throws InvalidFieldException {
    DescriptorPolicy policy = DescriptorPolicy.NONE;
    for (JsonNode element : fields.array(POLICY)) {
      int number = policy.rules().size() + 1;
      try {
        DescriptorPolicy rule = DescriptorPolicy.parse(text(element, number));
        if (rule.rules().size() != 1) {
          throw invalid(POLICY, "a list whose rule " + number + " is empty");
        }
        policy = policy.then(rule);
      } catch (PolicyException e) {
        throw invalid(POLICY, "a list whose rule " + number + " is not allowed: " + e.reason());
      }
    }
    return policy;
  }

  private static String text(JsonNode element, int number) throws InvalidFieldException {
    StringBuilder text = new StringBuilder();
    for (Map.Entry<String, JsonNode> entry : element.properties()) {
      String line = entry.getKey() + ": " + entry.getValue().asText();
      if (line.lines().count() != 1) {
        throw invalid(
            POLICY, "a list whose rule " + number + " has a line break in '" + line + "'");
      }
      text.append(line).append('\n');
    }
    return text.toString();
  }

  private static InvalidFieldException invalid(String field, String what) {
    return new InvalidFieldException(field, "field '" + field + "' is " + what);
  }

  void write(DescriptorOptions options, ObjectNode out) {
    ArrayNode rules = out.putArray(POLICY);
    for (DescriptorRule rule : options.policy().rules()) {
      ObjectNode object = rules.addObject();
      rule.text().forEach(object::put);
    }
    if (options.tracked()) {
      out.put(AGENT, TRACK_DESCRIPTORS);
    }
  }
}
