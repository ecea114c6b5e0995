package io.pilotlight.it.support;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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

  /** Whether a process has these bytes anywhere in memory that it could read. */
  public static boolean memoryContains(long pid, byte[] bytes) throws IOException {
    try (RandomAccessFile memory = new RandomAccessFile("/proc/" + pid + "/mem", "r")) {
      for (String mapping : Files.readAllLines(PROC.resolve(pid + "/maps"))) {
        String[] bounds = mapping.substring(0, mapping.indexOf(' ')).split("-", -1);
        long start = Long.parseUnsignedLong(bounds[0], 16);
        long end = Long.parseUnsignedLong(bounds[1], 16);
        boolean own = mapping.contains(" rw") && !mapping.contains("[v");
        if (own && contains(memory, start, end, bytes)) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean contains(RandomAccessFile memory, long start, long end, byte[] bytes)
      throws IOException {
    byte[] buffer = new byte[1 << 20];
    int kept = 0;
    memory.seek(start);
    for (long at = start; at < end; ) {
      int read = memory.read(buffer, kept, (int) Math.min(buffer.length - kept, end - at));
      if (read <= 0) {
        return false;
      }
      at += read;
      int filled = kept + read;
      for (int i = 0; i + bytes.length <= filled; i++) {
        if (Arrays.equals(buffer, i, i + bytes.length, bytes, 0, bytes.length)) {
          return true;
        }
      }
      kept = Math.min(filled, bytes.length - 1);
      System.arraycopy(buffer, filled - kept, buffer, 0, kept);
    }
    return false;
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
