package io.pilotlight.examples.hostile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Tries to end others: the processes that the event names as {@code pids}, and every other that is
 * shown; and to change files that it runs from, named as {@code files}.
 */
public final class Assassin implements Function<Map<String, Object>, Map<String, String>> {
  @Override
  public Map<String, String> apply(Map<String, Object> event) {
    Attempts attempts = new Attempts();
    for (Object pid : targets(event, "pids")) {
      attempts.attempt("end of " + pid, () -> end(((Number) pid).longValue()));
    }
    attempts.attempt("end of all that are shown", Assassin::endAll);
    for (Object file : targets(event, "files")) {
      attempts.attempt("change of " + file, () -> change(Path.of((String) file)));
      attempts.attempt("removal of " + file, () -> remove(Path.of((String) file)));
    }
    return attempts.outcomes();
  }

  private static List<?> targets(Map<String, Object> event, String kind) {
    return event.get(kind) instanceof List<?> list ? list : List.of();
  }

  private static String end(long pid) throws IOException {
    ProcessHandle process =
        ProcessHandle.of(pid).orElseThrow(() -> new IOException("there is no process " + pid));
    if (!process.destroyForcibly()) {
      throw new IOException("it cannot be ended");
    }
    return "ended";
  }

  private static String endAll() throws IOException {
    long own = ProcessHandle.current().pid();
    try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
      List<Long> others =
          entries
              .map(entry -> entry.getFileName().toString())
              .filter(name -> name.matches("\\d+"))
              .map(Long::valueOf)
              .filter(pid -> pid != own)
              .toList();
      if (others.isEmpty()) {
        throw new IOException("no other process is shown");
      }
      for (long pid : others) {
        end(pid);
      }
      return "ended " + others;
    }
  }

  private static String change(Path file) throws IOException {
    return Files.writeString(file, "changed").toString();
  }

  private static String remove(Path file) throws IOException {
    Files.delete(file);
    return "removed";
  }
}
