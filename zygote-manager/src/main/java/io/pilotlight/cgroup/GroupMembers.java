package io.pilotlight.cgroup;

import static io.pilotlight.linux.Uapi.SIGKILL;

import io.pilotlight.linux.Fd;
import io.pilotlight.linux.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** The processes of a group, and its end. */
final class GroupMembers {
  /** How long the kernel may take to end what has been killed, and to let go of it. */
  private static final int ATTEMPTS = 500;

  private static final long PAUSE_NANOS = 2_000_000;

  private GroupMembers() {}

  /** Their ids; none if there is no such group. */
  static List<Integer> of(Path group) throws IOException {
    List<Integer> pids = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(group.resolve("cgroup.procs"))) {
        pids.add(Integer.parseInt(line.strip()));
      }
    } catch (NoSuchFileException e) {
      return pids;
    }
    return pids;
  }

  /** Waits until there are none, for at most so long; the kernel tells nobody of it. */
  static void awaitNone(Path group, Duration atMost) throws IOException {
    for (long left = atMost.toNanos(); left > 0 && !of(group).isEmpty(); left -= PAUSE_NANOS) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /**
   * Kills all of them, those too that they make meanwhile, and waits until they are gone. Reaps
   * those that are children of this process by then, as orphans become.
   *
   * @return who they were
   */
  static List<Integer> end(Path group) throws IOException {
    List<Integer> ended = new ArrayList<>();
    Path all = group.resolve("cgroup.kill");
    Path most = group.resolve("pids.max");
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      List<Integer> members = of(group);
      if (members.isEmpty()) {
        return ended;
      }
      List<Fd> processes = new ArrayList<>();
      try {
        for (int pid : members) {
          Optional<Fd> process = Processes.pidfd(pid);
          process.ifPresent(processes::add);
        }
        if (Files.exists(all)) {
          GroupFiles.write(all, "1");
        } else {
          // Those of v1 are killed one by one: they must not make others meanwhile.
          if (Files.exists(most)) {
            GroupFiles.write(most, "0");
          }
          kill(group, members, processes);
        }
        members.stream().filter(pid -> !ended.contains(pid)).forEach(ended::add);
        LockSupport.parkNanos(PAUSE_NANOS);
        for (Fd process : processes) {
          Processes.reap(process);
        }
      } finally {
        processes.forEach(Fd::close);
      }
    }
    throw new IOException("processes " + of(group) + " of control group " + group + " do not end");
  }

  private static void kill(Path group, List<Integer> members, List<Fd> processes)
      throws IOException {
    // The descriptors were opened after the list was read: an id may have become another's.
    if (of(group).containsAll(members)) {
      for (Fd process : processes) {
        Processes.signal(process, SIGKILL);
      }
    }
  }

  /** Removes a group without members; the kernel may not have let go of the last one yet. */
  static void remove(Path group) throws IOException {
    IOException last = null;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        Files.deleteIfExists(group);
        return;
      } catch (IOException e) {
        last = e;
      }
      if (!of(group).isEmpty()) {
        break;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    throw new IOException("control group " + group + " cannot be removed: " + last, last);
  }
}
