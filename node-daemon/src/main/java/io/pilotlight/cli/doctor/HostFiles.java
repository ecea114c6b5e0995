package io.pilotlight.cli.doctor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The kernel's files of this machine.
 *
 * @param root {@code /}, or a directory that looks like it
 */
public record HostFiles(Path root) {

  Path path(String absolute) {
    return root.resolve(absolute.substring(1));
  }

  boolean exists(String absolute) {
    return Files.exists(path(absolute));
  }

  /** The file's text without white space around it; empty if it cannot be read. */
  Optional<String> text(String absolute) {
    try {
      return Optional.of(Files.readString(path(absolute), StandardCharsets.ISO_8859_1).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  List<String> lines(String absolute) {
    return text(absolute).map(text -> text.lines().toList()).orElse(List.of());
  }

  /** The value after {@code key:} in a file such as {@code /proc/self/status}. */
  Optional<String> field(String absolute, String key) {
    return lines(absolute).stream()
        .filter(line -> line.startsWith(key + ":"))
        .map(line -> line.substring(key.length() + 1).strip())
        .findFirst();
  }

  /** A directory's entries in order; none if it cannot be read. */
  List<Path> list(String absolute) {
    try (Stream<Path> entries = Files.list(path(absolute))) {
      return entries.sorted().toList();
    } catch (IOException e) {
      return List.of();
    }
  }
}
