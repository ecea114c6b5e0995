package io.pilotlight.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;

/** What /proc tells of a process; see proc(5). Stateless and thread-safe. */
public final class ProcFs {
  private static final Path PROC = Path.of("/proc");
  private static final String OPEN_FILES = "Max open files";
  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final Pattern MAPPING_LINE = Pattern.compile("[0-9a-f]+-[0-9a-f]+ ");

  private ProcFs() {}

  /**
   * One mapping.
   *
   * @param start first byte
   * @param end first byte after it
   * @param permissions like {@code rw-p}; the last letter is {@code s} for shared
   * @param offset where in its file it begins
   * @param inode 0 for anonymous memory
   * @param path what is mapped, or empty
   */
  public record Mapping(
      long start, long end, String permissions, long offset, long inode, String path) {
    /** Whether what is written there can be seen by other processes. */
    public boolean writableShared() {
      return permissions.charAt(1) == 'w' && permissions.charAt(3) == 's';
    }
  }

  /** All mappings, in ascending order. */
  public static List<Mapping> mappings(int pid) throws IOException {
    List<Mapping> mappings = new ArrayList<>();
    for (String line : lines(pid, "maps")) {
      mappings.add(mapping(line));
    }
    return mappings;
  }

  private static List<String> lines(int pid, String file) throws IOException {
    return Files.readAllLines(process(pid).resolve(file), StandardCharsets.ISO_8859_1);
  }

  private static Mapping mapping(String line) {
    String[] parts = line.split(" +", 6);
    String[] range = parts[0].split("-", 2);
    return new Mapping(
        Long.parseUnsignedLong(range[0], 16),
        Long.parseUnsignedLong(range[1], 16),
        parts[1],
        Long.parseUnsignedLong(parts[2], 16),
        Long.parseLong(parts[4]),
        parts.length > 5 ? parts[5] : "");
  }

  /**
   * A mapping and what the kernel knows of its pages.
   *
   * @param ownBytes bytes of pages that are not its file's, in memory or swapped out
   * @param flags the two-letter words of VmFlags
   */
  public record MappedArea(Mapping mapping, long ownBytes, Set<String> flags) {}

  /** All mappings with their pages, in ascending order. The kernel walks its page tables for it. */
  public static List<MappedArea> mappedAreas(int pid) throws IOException {
    List<MappedArea> areas = new ArrayList<>();
    Mapping mapping = null;
    long own = 0;
    for (String line : lines(pid, "smaps")) {
      if (line.startsWith("Anonymous:") || line.startsWith("Swap:")) {
        own += kilobytes(line.substring(line.indexOf(':') + 1).strip());
      } else if (line.startsWith("VmFlags:") && mapping != null) {
        String flags = line.substring("VmFlags:".length()).strip();
        areas.add(new MappedArea(mapping, own, Set.copyOf(List.of(flags.split(" +", -1)))));
      } else if (MAPPING_LINE.matcher(line).lookingAt()) {
        mapping = mapping(line);
        own = 0;
      }
    }
    return areas;
  }

  /**
   * Where the kernel takes a process's program and data to lie: fields of struct mm_struct, by the
   * names of prctl(2), PR_SET_MM.
   */
  public record MemoryLayout(
      long startCode,
      long endCode,
      long startData,
      long endData,
      long startBrk,
      long startStack,
      long argStart,
      long argEnd,
      long envStart,
      long envEnd) {}

  /** All of them. */
  public static MemoryLayout memoryLayout(int pid) throws IOException {
    Path file = process(pid).resolve("stat");
    long[] fields = new long[52];
    for (int number : new int[] {26, 27, 28, 45, 46, 47, 48, 49, 50, 51}) {
      fields[number] = Long.parseUnsignedLong(statField(file, number));
    }
    return new MemoryLayout(
        fields[26],
        fields[27],
        fields[45],
        fields[46],
        fields[47],
        fields[28],
        fields[48],
        fields[49],
        fields[50],
        fields[51]);
  }

  /** What the kernel told the program at its start; see getauxval(3). */
  public static byte[] auxiliaryVector(int pid) throws IOException {
    return Files.readAllBytes(process(pid).resolve("auxv"));
  }

  /** How many descriptors it may have: the soft limit; -1 if there is none. */
  public static long maxDescriptors(int pid) throws IOException {
    for (String line : lines(pid, "limits")) {
      if (line.startsWith(OPEN_FILES)) {
        String soft = line.substring(OPEN_FILES.length()).strip().split(" +", 2)[0];
        return soft.equals("unlimited") ? -1 : Long.parseLong(soft);
      }
    }
    return -1;
  }

  /** The ids of its threads, in ascending order. */
  public static List<Integer> threads(int pid) throws IOException {
    return numbers(process(pid).resolve("task"));
  }

  /** All processes. */
  public static List<Integer> processes() throws IOException {
    return numbers(PROC);
  }

  /** Its open descriptors. */
  public static List<Integer> descriptors(int pid) throws IOException {
    return numbers(process(pid).resolve("fd"));
  }

  private static List<Integer> numbers(Path directory) throws IOException {
    List<Integer> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "[0-9]*")) {
      for (Path entry : entries) {
        found.add(Integer.parseInt(entry.getFileName().toString()));
      }
    }
    found.sort(null);
    return found;
  }

  /**
   * What a descriptor refers to, as the kernel shows it: a path, {@code socket:[123]}, {@code
   * anon_inode:[eventfd]}.
   */
  public static String descriptorTarget(int pid, int descriptor) throws IOException {
    return Files.readSymbolicLink(process(pid).resolve("fd/" + descriptor)).toString();
  }

  /** The value of a field of /proc/PID/fdinfo/N, like {@code pos} or {@code flags} (octal). */
  public static String descriptorInfo(int pid, int descriptor, String field) throws IOException {
    return descriptorInfo(pid, descriptor).stream()
        .filter(line -> line.startsWith(field + ":"))
        .map(line -> line.substring(field.length() + 1).strip())
        .findFirst()
        .orElseThrow(
            () -> new IOException("/proc/" + pid + "/fdinfo/" + descriptor + " has no " + field));
  }

  /** All lines of /proc/PID/fdinfo/N. */
  public static List<String> descriptorInfo(int pid, int descriptor) throws IOException {
    return Files.readAllLines(
        process(pid).resolve("fdinfo/" + descriptor), StandardCharsets.ISO_8859_1);
  }

  /** The value of a field of /proc/PID/status. */
  public static Optional<String> status(int pid, String field) throws IOException {
    return field(
        Files.readAllLines(process(pid).resolve("status"), StandardCharsets.ISO_8859_1), field);
  }

  private static Optional<String> field(List<String> lines, String name) {
    String prefix = name + ":";
    return lines.stream()
        .filter(line -> line.startsWith(prefix))
        .map(line -> line.substring(prefix.length()).strip())
        .findFirst();
  }

  /** A thread's name (comm), at most 15 bytes. */
  public static String threadName(int pid, int tid) throws IOException {
    return Files.readString(
            process(pid).resolve("task/" + tid + "/comm"), StandardCharsets.ISO_8859_1)
        .stripTrailing();
  }

  /** A thread's id as the thread itself knows it: in the innermost PID namespace. */
  public static int ownThreadId(int pid, int tid) throws IOException {
    return field(
            Files.readAllLines(
                process(pid).resolve("task/" + tid + "/status"), StandardCharsets.ISO_8859_1),
            "NSpid")
        .map(ids -> Integer.parseInt(ids.substring(ids.lastIndexOf('\t') + 1)))
        .orElse(tid);
  }

  /**
   * A path as the process sees it, for a look from here: through its root and in its mounts. Needs
   * the right to trace it.
   */
  public static Path seenBy(int pid, Path absolute) {
    return process(pid).resolve("root").resolve(Path.of("/").relativize(absolute));
  }

  /** A thread's nice value, -20 to 19. */
  public static int nice(int pid, int tid) throws IOException {
    return Integer.parseInt(statField(process(pid).resolve("task/" + tid + "/stat"), 19));
  }

  /** The id of the session that the process is in. */
  public static int session(int pid) throws IOException {
    return Integer.parseInt(statField(process(pid).resolve("stat"), 6));
  }

  /** Its parent's pid. */
  public static int parent(int pid) throws IOException {
    return Integer.parseInt(statField(process(pid).resolve("stat"), 4));
  }

  /** Whether it has ended, is a child of {@code parent}, and has not been reaped. */
  public static boolean deadChild(int pid, int parent) {
    try {
      return statField(process(pid).resolve("stat"), 3).equals("Z") && parent(pid) == parent;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * How far a clock of a process is ahead of the machine's, as its time namespace has it; see
   * time_namespaces(7).
   *
   * @param clock monotonic or boottime
   * @return nanoseconds; 0 if the process has ended, or the kernel has no such namespaces
   */
  public static long clockOffsetNanos(int pid, String clock) {
    try {
      for (String line : lines(pid, "timens_offsets")) {
        String[] words = line.split(" +", -1);
        if (words[0].equals(clock)) {
          return Long.parseLong(words[1]) * SECOND_NANOS + Long.parseLong(words[2]);
        }
      }
      return 0;
    } catch (IOException e) {
      return 0;
    }
  }

  /** CLOCK_BOOTTIME of this process, rounded down to hundredths of a second, in nanoseconds. */
  public static long bootNanos() throws IOException {
    String seconds = Files.readString(PROC.resolve("uptime")).split(" ", 2)[0];
    return Math.round(Double.parseDouble(seconds) * 100) * (SECOND_NANOS / 100);
  }

  /** When it was started, in clock ticks since boot: with the pid this names a process for ever. */
  public static long startTicks(int pid) throws IOException {
    return Long.parseLong(statField(process(pid).resolve("stat"), 22));
  }

  /**
   * Page faults of all its threads that needed no reading from disk, also those of threads that
   * have ended; empty if it has ended.
   */
  public static OptionalLong minorFaults(int pid) {
    try {
      return OptionalLong.of(Long.parseLong(statField(process(pid).resolve("stat"), 10)));
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  /**
   * Field {@code number} as proc(5) counts them; the second, the name, may itself contain blanks
   * and brackets.
   */
  private static String statField(Path file, int number) throws IOException {
    String line = Files.readString(file, StandardCharsets.ISO_8859_1);
    String[] afterName = line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
    return afterName[number - 3].strip();
  }

  /** The arguments it was started with; empty if it has ended or is a kernel thread. */
  public static List<String> commandLine(int pid) throws IOException {
    try {
      String text = Files.readString(process(pid).resolve("cmdline"), StandardCharsets.ISO_8859_1);
      return text.isEmpty() ? List.of() : List.of(text.split("\0", -1));
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  /** Resident bytes; 0 if it has ended. */
  public static long residentBytes(int pid) {
    return kilobytes(pid, "status", "VmRSS").orElse(0);
  }

  /**
   * Bytes that it shares with no other process; empty if it has ended. The kernel walks its page
   * tables for this.
   */
  public static OptionalLong privateBytes(int pid) {
    OptionalLong clean = kilobytes(pid, "smaps_rollup", "Private_Clean");
    OptionalLong dirty = kilobytes(pid, "smaps_rollup", "Private_Dirty");
    return clean.isPresent() && dirty.isPresent()
        ? OptionalLong.of(clean.getAsLong() + dirty.getAsLong())
        : OptionalLong.empty();
  }

  private static OptionalLong kilobytes(int pid, String file, String name) {
    try {
      List<String> lines =
          Files.readAllLines(process(pid).resolve(file), StandardCharsets.ISO_8859_1);
      return field(lines, name).stream().mapToLong(ProcFs::kilobytes).findFirst();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  private static long kilobytes(String value) {
    return Long.parseLong(value.split(" ", -1)[0]) * 1024;
  }

  private static Path process(int pid) {
    return PROC.resolve(Integer.toString(pid));
  }
}
