package io.pilotlight.cgroup;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How short memory is, for this process and all that it starts: on the machine, and in each control
 * group that it is in. Reads a few files of /proc and of the groups; see the kernel's
 * Documentation/accounting/psi.rst, proc_meminfo(5), cgroup-v1/memory.rst and cgroup-v2.rst.
 * Thread-safe.
 */
public final class MachineMemory {
  private static final Pattern STALL = Pattern.compile("some avg10=([0-9.]+) ");

  private final Path root;

  private MachineMemory(Path root) {
    this.root = root;
  }

  /** Of this machine. */
  public static MachineMemory here() {
    return new MachineMemory(Path.of("/"));
  }

  /** Of what looks like a machine. */
  static MachineMemory of(Path root) {
    return new MachineMemory(root);
  }

  /**
   * What was read.
   *
   * @param stalledPercent the share of the last ten seconds in which some process waited for memory
   *     to be freed or read back; empty where the kernel does not say
   * @param places where memory can run out: the machine, and each group with a limit
   */
  public record Reading(OptionalDouble stalledPercent, List<Place> places) {
    /** Copies the list. */
    public Reading {
      places = List.copyOf(places);
    }
  }

  /**
   * Where memory can run out.
   *
   * @param name for people
   * @param availableBytes what can still be had without swapping
   * @param totalBytes what there is
   */
  public record Place(String name, long availableBytes, long totalBytes) {}

  /**
   * Reads it.
   *
   * @throws IOException if /proc cannot be read
   */
  public Reading read() throws IOException {
    List<Place> places = new ArrayList<>();
    machine().ifPresent(places::add);
    Membership self = Membership.of(root, "self");
    Path unified = self.unified().orElse(null);
    for (Path group : withParents(unified)) {
      limited(group, "memory.max", "memory.current", "inactive_file").ifPresent(places::add);
    }
    for (Path group : withParents(self.legacy().get(Controller.MEMORY))) {
      limited(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
          .ifPresent(places::add);
    }
    return new Reading(stalledPercent(unified), places);
  }

  /** As far as the mount shows them. */
  private static List<Path> withParents(@Nullable Path group) {
    List<Path> groups = new ArrayList<>();
    for (Path at = group; at != null && Files.exists(at.resolve("cgroup.procs")); ) {
      groups.add(at);
      at = at.getParent();
    }
    return groups;
  }

  /** Of the group where it is counted for groups, which only v2 does. */
  private OptionalDouble stalledPercent(@Nullable Path group) {
    OptionalDouble own =
        group == null ? OptionalDouble.empty() : stalled(group.resolve("memory.pressure"));
    return own.isPresent() ? own : stalled(root.resolve("proc/pressure/memory"));
  }

  /** The file may be there and not be read: with {@code psi=0} on the kernel's command line. */
  private static OptionalDouble stalled(Path file) {
    try {
      Matcher matcher = STALL.matcher(text(file).orElse(""));
      return matcher.find()
          ? OptionalDouble.of(Double.parseDouble(matcher.group(1)))
          : OptionalDouble.empty();
    } catch (IOException e) {
      return OptionalDouble.empty();
    }
  }

  private Optional<Place> machine() throws IOException {
    String text = text(root.resolve("proc/meminfo")).orElse("");
    OptionalLong total = number(text, "MemTotal:");
    OptionalLong available = number(text, "MemAvailable:");
    return total.isPresent() && available.isPresent()
        ? Optional.of(
            new Place("the machine", available.getAsLong() << 10, total.getAsLong() << 10))
        : Optional.empty();
  }

  /** What the group's own files can be taken from counts as available: they are read again. */
  private static Optional<Place> limited(
      Path group, String limitFile, String usageFile, String reclaimable) throws IOException {
    OptionalLong limit = number(text(group.resolve(limitFile)).orElse(""), "");
    OptionalLong usage = number(text(group.resolve(usageFile)).orElse(""), "");
    if (limit.isEmpty() || usage.isEmpty()) {
      return Optional.empty();
    }
    long files = number(text(group.resolve("memory.stat")).orElse(""), reclaimable).orElse(0);
    long available = Math.max(0, limit.getAsLong() - usage.getAsLong() + files);
    return Optional.of(new Place("control group " + group, available, limit.getAsLong()));
  }

  /**
   * The number behind a word at the beginning of a line. Empty if there is none, or no number: for
   * "no limit" v2 says "max", and v1 a number that is larger than any memory.
   */
  private static OptionalLong number(String text, String word) {
    for (String line : text.split("\n", -1)) {
      String[] fields = line.strip().split("\\s+", -1);
      int at = word.isEmpty() ? 0 : 1;
      if ((at == 0 || fields[0].equals(word)) && fields.length > at) {
        return fields[at].matches("[0-9]{1,18}")
            ? OptionalLong.of(Long.parseLong(fields[at]))
            : OptionalLong.empty();
      }
    }
    return OptionalLong.empty();
  }

  private static Optional<String> text(Path file) throws IOException {
    return Files.exists(file)
        ? Optional.of(Files.readString(file, StandardCharsets.ISO_8859_1))
        : Optional.empty();
  }
}
