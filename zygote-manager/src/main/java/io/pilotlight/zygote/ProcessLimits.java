package io.pilotlight.zygote;

import static io.pilotlight.linux.Uapi.SIGKILL;

import io.pilotlight.agent.wire.Failure;
import io.pilotlight.cgroup.ControlGroup;
import io.pilotlight.linux.Fd;
import io.pilotlight.zygote.Overrun.Kind;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The limits that one process runs under, and which of them it has come up against. */
final class ProcessLimits {
  private static final Pattern OUT_OF_MEMORY =
      Pattern.compile("Terminating due to java\\.lang\\.OutOfMemoryError: ([^\\n]+)");

  /** What HotSpot says of a thread, a process, memory that it was refused. */
  private static final List<String> REFUSED_PROCESS =
      List.of("unable to create native thread", "pthread_create failed", "error=11,", "EAGAIN");

  private static final int SIGXFSZ = 25;

  private final Limits limits;
  private final int wholeMib;
  private final @Nullable ControlGroup group;
  private final Consumer<ControlGroup> release;
  private final AtomicBoolean released = new AtomicBoolean();

  /**
   * As described.
   *
   * @param wholeMib what may be charged to it altogether, with what the JVM takes itself
   * @param group where it is, or null
   * @param release is given the group when the process has ended
   */
  ProcessLimits(
      Limits limits, int wholeMib, @Nullable ControlGroup group, Consumer<ControlGroup> release) {
    this.limits = limits;
    this.wholeMib = wholeMib;
    this.group = group;
    this.release = release;
  }

  /** What its process may use. */
  Limits limits() {
    return limits;
  }

  /** Has a process enter its group, with all its threads. */
  void enter(int pid) throws IOException {
    if (group != null) {
      group.add(pid);
    }
  }

  /** Its group, or null. */
  @Nullable ControlGroup group() {
    return group;
  }

  /** By which a clone gets into its group. */
  List<Fd> descriptors() {
    return group == null ? List.of() : group.descriptors();
  }

  /** The process has ended, or was never made. Idempotent: the group is another's afterwards. */
  void release() {
    if (group != null && released.compareAndSet(false, true)) {
      release.accept(group);
    }
  }

  /**
   * The limit that ended a process; empty if it was none of ours.
   *
   * @param output the end of what it wrote
   */
  Optional<Overrun> ending(ExitStatus status, String output) {
    if (status instanceof ExitStatus.Signalled signalled) {
      if (signalled.signal() == SIGXFSZ) {
        return Optional.of(fileSize());
      }
      return signalled.signal() == SIGKILL ? killedForMemory() : Optional.empty();
    }
    if (status instanceof ExitStatus.Unknown && killedForMemory().isPresent()) {
      // Of a clone of an earlier daemon's zygote its group alone knows.
      return killedForMemory();
    }
    Matcher outOfMemory = OUT_OF_MEMORY.matcher(output);
    if (outOfMemory.find()) {
      return Optional.of(ofJava(outOfMemory.group(1).strip()));
    }
    return output.contains("insufficient memory for the Java Runtime Environment") && group == null
        ? Optional.of(memory())
        : refusedProcess(output);
  }

  private Optional<Overrun> killedForMemory() {
    return group != null && group.memoryKills() > 0 ? Optional.of(memory()) : Optional.empty();
  }

  /** The limit that made a call fail; empty if it was none of ours. */
  Optional<Overrun> cause(Failure failure) {
    String text = text(failure);
    if (text.contains("Too many open files")) {
      return Optional.of(
          new Overrun(Kind.OPEN_FILES, "limit of " + limits.openFiles() + " open files"));
    }
    if (limits.fileSizeMib() > 0 && text.contains("File too large")) {
      return Optional.of(fileSize());
    }
    if (text.contains("direct buffer memory") || text.contains("Direct buffer memory")) {
      return Optional.of(memory("direct buffers", limits.directMib(), "direct buffer memory"));
    }
    return group == null && text.contains("Unable to allocate")
        ? Optional.of(memory())
        : refusedProcess(text);
  }

  /** All that it may take: of its group, or, where there is none, RLIMIT_DATA. */
  private Overrun memory() {
    return new Overrun(
        Kind.MEMORY,
        "memory limit of " + limits.memoryMib() + " MiB, with the JVM's own " + wholeMib + " MiB");
  }

  /** Messages of an exception and its causes. */
  private static String text(Failure failure) {
    StringBuilder text = new StringBuilder();
    for (Failure next = failure; next != null; next = next.cause()) {
      text.append(next.message()).append('\n');
    }
    return text.toString();
  }

  private Overrun ofJava(String error) {
    return error.startsWith("Metaspace") || error.startsWith("Compressed class space")
        ? memory("classes", limits.metaspaceMib(), error)
        : memory("the heap", limits.heapMib(), error);
  }

  private Overrun memory(String part, int partMib, String error) {
    return new Overrun(
        Kind.MEMORY,
        "memory limit of "
            + limits.memoryMib()
            + " MiB, "
            + partMib
            + " MiB of it for "
            + part
            + " (OutOfMemoryError: "
            + error
            + ")");
  }

  private Optional<Overrun> refusedProcess(String text) {
    if (REFUSED_PROCESS.stream().noneMatch(text::contains)) {
      return Optional.empty();
    }
    if (group == null) {
      return Optional.of(
          new Overrun(Kind.PIDS, "user's limit on processes and threads (ulimit -u)"));
    }
    return group.pidsRefused() > 0
        ? Optional.of(
            new Overrun(Kind.PIDS, "limit of " + limits.pids() + " processes and threads"))
        : Optional.empty();
  }

  private Overrun fileSize() {
    return new Overrun(Kind.FILE_SIZE, "limit of " + limits.fileSizeMib() + " MiB for a file");
  }
}
