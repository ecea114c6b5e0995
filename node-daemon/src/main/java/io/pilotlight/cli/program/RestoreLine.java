package io.pilotlight.cli.program;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the command line of {@code pilotlight restore} as picocli does, without picocli, whose
 * loading takes longer than the restore. What it does not know, be it a request for help or wrong,
 * it leaves to picocli. For one command line.
 */
public final class RestoreLine {
  private static final String COMMAND = "restore";

  private final Map<String, String> properties = new HashMap<>();
  private final List<String> words = new ArrayList<>();
  private @Nullable Path image;
  private @Nullable Path descriptorPolicy;
  private boolean keepRunning;

  private RestoreLine() {}

  /**
   * Reads one.
   *
   * @param arguments all of pilotlight's
   * @return what is to be restored; empty if picocli has to look at it
   */
  public static Optional<Restoration> parse(String... arguments) {
    return arguments.length > 0 && arguments[0].equals(COMMAND)
        ? new RestoreLine().read(List.of(arguments).subList(1, arguments.length))
        : Optional.empty();
  }

  private Optional<Restoration> read(List<String> rest) {
    Iterator<String> left = rest.iterator();
    while (left.hasNext()) {
      String word = left.next();
      if (word.equals("--")) {
        left.forEachRemaining(words::add);
      } else if (!word.startsWith("-")) {
        words.add(word);
      } else if (!option(word, left)) {
        return Optional.empty();
      }
    }
    return words.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Restoration(
                Path.of(words.get(0)),
                properties,
                words.subList(1, words.size()),
                new Management(image, keepRunning, descriptorPolicy)));
  }

  private boolean option(String word, Iterator<String> left) {
    if (word.equals("--keep-running") && !keepRunning) {
      keepRunning = true;
      return true;
    }
    if (word.startsWith("-D")) {
      return property(word.length() > 2 ? word.substring(2) : operand(left));
    }
    if (word.equals("--image") && image == null) {
      image = path(operand(left));
      return image != null;
    }
    if (word.equals("--fd-policy") && descriptorPolicy == null) {
      descriptorPolicy = path(operand(left));
      return descriptorPolicy != null;
    }
    return false;
  }

  private static @Nullable Path path(@Nullable String operand) {
    return operand == null ? null : Path.of(operand);
  }

  /** What follows an option, if it is no option itself. */
  private static @Nullable String operand(Iterator<String> left) {
    if (!left.hasNext()) {
      return null;
    }
    String operand = left.next();
    return operand.startsWith("-") ? null : operand;
  }

  private boolean property(@Nullable String definition) {
    int equals = definition == null ? 0 : definition.indexOf('=');
    if (definition == null || equals <= 0) {
      return false;
    }
    String value = definition.substring(equals + 1);
    return properties.put(definition.substring(0, equals), value) == null;
  }
}
