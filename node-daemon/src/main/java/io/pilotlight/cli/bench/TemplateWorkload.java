package io.pilotlight.cli.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Calls any function with one event, in which <code>{{n}}</code> stands for the number of the call.
 * Of a function that is not known only the shape of its answers can be checked: each must have the
 * fields of the first.
 */
public final class TemplateWorkload implements Workload {
  private final ObjectMapper mapper = new ObjectMapper();
  private final AtomicReference<@Nullable Set<String>> shape = new AtomicReference<>();
  private final String template;

  /** With this event. */
  public TemplateWorkload(byte[] template) {
    this.template = new String(template, UTF_8);
  }

  @Override
  public byte[] payload(int n) {
    return template.replace("{{n}}", Integer.toString(n)).getBytes(UTF_8);
  }

  @Override
  public Optional<String> problem(int n, byte[] answer) {
    Set<String> fields = fields(answer);
    Set<String> first = shape.compareAndSet(null, fields) ? fields : shape.get();
    return fields.equals(first)
        ? Optional.empty()
        : Optional.of("fields " + fields + " where the first answer had " + first);
  }

  private Set<String> fields(byte[] answer) {
    try {
      JsonNode node = mapper.readTree(answer);
      Set<String> names = new TreeSet<>();
      node.fieldNames().forEachRemaining(names::add);
      return names.isEmpty() ? Set.of(node.getNodeType().toString()) : names;
    } catch (IOException e) {
      return Set.of("(not JSON)");
    }
  }
}
