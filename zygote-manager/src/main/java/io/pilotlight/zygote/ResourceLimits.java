package io.pilotlight.zygote;

import io.pilotlight.cgroup.ControlGroup;
import io.pilotlight.cgroup.ControlGroups;
import io.pilotlight.cgroup.Controller;
import io.pilotlight.cgroup.Delegation;
import io.pilotlight.cgroup.GroupLimits;
import io.pilotlight.engine.Placement;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Processes.Resource;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the processes of one host under their limits. Descriptors and the size of files are limited
 * by rlimits, which a clone inherits from its zygote at no cost. The rest is limited by control
 * groups, one for each process; where there are none, as far as rlimits and flags of the JVM go.
 * Thread-safe.
 *
 * <p>A group is charged for what its processes touch first. So a clone's is charged for what it
 * copies of its zygote's memory and for what it adds, not for what they share, and a zygote's, once
 * it is frozen, for nothing but the page tables and first stacks of clones that it forks: its
 * limits are lifted then.
 */
final class ResourceLimits implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ResourceLimits.class);

  /** A JVM that is being built is not made to wait for a quota that is meant for calls. */
  private static final int LEAST_BUILD_CPU_MILLIS = 1_000;

  /** So many threads of its user are left to the daemon. */
  private static final int DAEMON_THREADS = 256;

  private static final int CLOSE_SECONDS = 10;

  /** How long clones may take for their first steps when their zygote has ended. */
  private static final Duration CLONES_LEAVE = Duration.ofMillis(500);

  private final @Nullable ControlGroups groups;
  private final String description;
  private final ExecutorService background;

  private ResourceLimits(@Nullable ControlGroups groups, String description) {
    this.groups = groups;
    this.description = description;
    this.background =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "pilotlight-groups");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * With what is there.
   *
   * @param delegation what this process may use
   * @param owner part of the names of its groups
   */
  static ResourceLimits open(Delegation delegation, String owner) {
    String why = delegation.toString();
    if (delegation instanceof Delegation.Absent absent) {
      why = delegation + "; to have them: " + absent.remedy();
    }
    try {
      if (delegation instanceof Delegation.Unified unified) {
        return new ResourceLimits(ControlGroups.open(unified, owner), why);
      } else if (delegation instanceof Delegation.Legacy legacy) {
        return new ResourceLimits(ControlGroups.open(legacy, owner), why);
      }
    } catch (IOException e) {
      why = "no control groups: " + e.getMessage();
      LOG.warn("{} cannot be used: {}", delegation, e.getMessage());
    }
    return new ResourceLimits(null, why);
  }

  /** What is in force, on one line. */
  String description() {
    return groups == null
        ? "by rlimits and JVM flags: heap, classes, direct buffers, private memory, open files, file"
            + " size; not processor time, processes not for each process ("
            + description
            + ")"
        : "by " + description + " and rlimits (open files, file size)";
  }

  /** One sentence for each limit that a function's owner has set and that is not enforced. */
  List<String> notEnforced(Limits limits) {
    List<String> sentences = new ArrayList<>();
    boolean cpu = groups != null && groups.controllers().contains(Controller.CPU);
    if (limits.cpuMillis() > 0 && !cpu) {
      sentences.add(
          "The limit of "
              + limits.cpuMillis() / 1e3
              + " processors is not enforced ("
              + description
              + "); the JVM only takes itself to have "
              + limits.processors()
              + ".");
    }
    if (limits.pids() != Limits.DEFAULT_PIDS && groups == null) {
      sentences.add(
          "The limit of "
              + limits.pids()
              + " processes and threads is not enforced ("
              + description
              + "); all functions together have that of their user.");
    }
    return sentences;
  }

  /**
   * For a JVM that is to become a zygote, or to serve cold: its process is to be restricted, and to
   * enter it, before it is told what to run.
   */
  ProcessLimits ofJvm(String name, Limits limits, boolean zygote) throws IOException {
    int wholeMib = wholeMib(limits);
    int cpuMillis = limits.cpuMillis();
    if (zygote && cpuMillis > 0) {
      cpuMillis = Math.max(LEAST_BUILD_CPU_MILLIS, cpuMillis);
    }
    ControlGroup group =
        groups == null
            ? null
            : groups.create(
                name, new GroupLimits(Limits.bytes(wholeMib), limits.pids(), cpuMillis), false);
    return new ProcessLimits(
        limits, wholeMib, group, zygote ? this::removeOfZygote : this::removeOfCold);
  }

  /** Sets the rlimits of a new child, which all that it starts inherits. */
  void restrict(int pid, Limits limits) throws KernelException {
    Processes.limit(pid, Resource.NOFILE, limits.openFiles());
    restrictBlank(pid, limits);
  }

  /**
   * Sets those of a new child that an image is restored into. For that it needs more descriptors
   * than it has afterwards, when it takes their limit from the image.
   */
  void restrictBlank(int pid, Limits limits) throws KernelException {
    if (limits.fileSizeMib() > 0) {
      Processes.limit(pid, Resource.FSIZE, Limits.bytes(limits.fileSizeMib()));
    }
    if (groups != null) {
      return;
    }
    Processes.limit(pid, Resource.DATA, Limits.bytes(limits.reservedMib()));
    OptionalLong threads = Processes.limit(Resource.NPROC);
    if (threads.isPresent() && threads.getAsLong() > 2 * DAEMON_THREADS) {
      Processes.limit(pid, Resource.NPROC, threads.getAsLong() - DAEMON_THREADS);
    }
  }

  /**
   * Those of the clones of a zygote.
   *
   * @param ownUser whether the zygote runs as the user of this process: only he may have processes
   *     born in a group of his; others' enter it by a descriptor that was opened here
   */
  CloneLimits ofClones(String zygoteId, Limits limits, boolean ownUser) {
    ControlGroups available = groups;
    if (available == null) {
      return new CloneLimits(limits, limits.reservedMib(), Placement.NONE, null);
    }
    int wholeMib = limits.jvmMib();
    GroupLimits each = new GroupLimits(Limits.bytes(wholeMib), limits.pids(), limits.cpuMillis());
    boolean atBirth = ownUser && available.atBirth();
    AtomicInteger next = new AtomicInteger();
    GroupPool pool =
        new GroupPool(
            () -> available.create(zygoteId + "-" + next.incrementAndGet(), each, atBirth),
            background);
    Placement placement = new Placement(atBirth, available.parts(limits.cpuMillis() > 0));
    return new CloneLimits(limits, wholeMib, placement, pool);
  }

  /** Lets a zygote that was frozen fork: it runs nothing of its function any more. */
  void frozen(ProcessLimits process) throws IOException {
    ControlGroup group = process.group();
    if (group != null) {
      group.relax();
    }
  }

  /**
   * Removes what an earlier daemon has left.
   *
   * @param zygotes the ids of those that live on
   * @return one sentence for each process that was ended
   */
  List<String> removeAllBut(Set<String> zygotes) {
    try {
      return groups == null ? List.of() : groups.removeAllBut(zygotes::contains);
    } catch (IOException e) {
      LOG.warn("control groups of an earlier daemon cannot be removed: {}", e.getMessage());
      return List.of();
    }
  }

  /**
   * Takes a zygote that is frozen already into a group: one of an earlier daemon, which may be
   * there, or one that was restored from its image.
   */
  void take(String zygoteId, Limits limits, ProcessWatch process, int pid) throws IOException {
    ControlGroup group = groups == null ? null : groups.create(zygoteId, GroupLimits.NONE, false);
    ProcessLimits own = new ProcessLimits(limits, wholeMib(limits), group, this::removeOfZygote);
    process.exit().thenRun(own::release);
    own.enter(pid);
  }

  private int wholeMib(Limits limits) {
    return groups == null ? limits.reservedMib() : limits.jvmMib();
  }

  private void removeOfCold(ControlGroup group) {
    removeLater(group, Duration.ZERO);
  }

  /**
   * A zygote has ended. Where clones are born in its group, the latest may be on the way to their
   * own: they are to live on.
   */
  private void removeOfZygote(ControlGroup group) {
    removeLater(group, CLONES_LEAVE);
  }

  private void removeLater(ControlGroup group, Duration toLeave) {
    try {
      background.execute(
          () -> {
            try {
              group.awaitEmpty(toLeave);
              group.remove();
            } catch (IOException e) {
              LOG.warn("control group {} cannot be removed: {}", group.name(), e.getMessage());
            }
          });
    } catch (RejectedExecutionException e) {
      // The host is closed, and removes all that is left.
    }
  }

  /** Removes all groups; the processes in them have ended. */
  @Override
  public void close() {
    background.shutdown();
    try {
      if (!background.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        background.shutdownNow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (groups != null) {
      removeAllBut(Set.of());
      groups.close();
    }
  }
}
