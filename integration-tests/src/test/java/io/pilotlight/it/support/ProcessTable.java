package io.pilotlight.it.support;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The machine's processes, as anybody can see them. One that ends meanwhile is left out. */
public final class ProcessTable {
  private static final Path PROC = Path.of("/proc");

  private ProcessTable() {}

  /** A process with its arguments. */
  public record Entry(int pid, List<String> command) {}

  /** Processes that have an argument like that. Dead ones that nobody has reaped have none. */
  public static List<Entry> withArgument(Predicate<String> argument) throws IOException {
    List<Entry> found = new ArrayList<>();
    for (int pid : pids()) {
      List<String> command = commandLine(pid);
      if (command.stream().anyMatch(argument)) {
        found.add(new Entry(pid, command));
      }
    }
    return found;
  }

  /** Whether the process exists and has not ended. */
  public static boolean running(long pid) {
    char state = state(pid);
    return state != 0 && state != 'Z' && state != 'X';
  }

  /** Dead children of {@code parent} that it has not reaped. */
  public static List<Integer> zombiesOf(long parent) throws IOException {
    List<Integer> found = new ArrayList<>();
    for (int pid : pids()) {
      String[] fields = stat(pid);
      if (fields.length > 1 && fields[0].equals("Z") && fields[1].equals(Long.toString(parent))) {
        found.add(pid);
      }
    }
    return found;
  }

  /** How many threads a user's processes have; {@code uid} as in /proc/PID/status. */
  public static int threadsOf(String uid) throws IOException {
    int threads = 0;
    for (int pid : pids()) {
      List<String> status = status(pid);
      if (status.contains("Uid:\t" + uid)) {
        threads +=
            status.stream()
                .filter(line -> line.startsWith("Threads:\t"))
                .mapToInt(line -> Integer.parseInt(line.substring("Threads:\t".length())))
                .sum();
      }
    }
    return threads;
  }

  private static List<String> status(int pid) {
    try {
      return Files.readAllLines(PROC.resolve(pid + "/status"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return List.of();
    }
  }

  private static char state(long pid) {
    String[] fields = stat(pid);
    return fields.length == 0 ? 0 : fields[0].charAt(0);
  }

  /** The fields of /proc/PID/stat behind the name, which may contain anything. */
  private static String[] stat(long pid) {
    try {
      String text = Files.readString(PROC.resolve(pid + "/stat"), StandardCharsets.ISO_8859_1);
      return text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
    } catch (IOException e) {
      return new String[0];
    }
  }

  private static List<Integer> pids() throws IOException {
    List<Integer> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(PROC, "[0-9]*")) {
      entries.forEach(entry -> found.add(Integer.parseInt(entry.getFileName().toString())));
    }
    return found;
  }

  private static List<String> commandLine(int pid) {
    try {
      String text = Files.readString(PROC.resolve(pid + "/cmdline"), StandardCharsets.ISO_8859_1);
      return List.of(text.split("\0", 0));
    } catch (IOException e) {
      return List.of();
    }
  }
}
