package io.pilotlight.it.faults;

import io.pilotlight.it.faults.Step.Actor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;

/**
 * What happens from the arming of a fault to its end: tells the steps of freezes and forks from all
 * the other calls that a JVM makes, by the address from which they are made, and passes one of them
 * to the fault.
 *
 * <p>The daemon makes all of them through one instruction, that of libc's syscall(2), which nothing
 * else in it uses; the routine has a page of its own; in a frozen process they are made from the
 * vdso, where no other code makes them, or from the routine's page.
 */
final class Episode implements SyscallSupervisor.Judge {
  private static final int PR_SET_CHILD_SUBREAPER = 36;
  private static final int PAGE_MASK = 0xfff;

  private final Map<Step, Integer> seen = new HashMap<>();
  private final List<Step> order = new ArrayList<>();
  private final Map<Integer, Integer> cloneThreads = new HashMap<>();
  private final Set<Long> routines = new HashSet<>();
  private final Set<Integer> zygotes = new HashSet<>();

  /** Pages of libraries. ASLR could put another process's routine there: it would be missed. */
  private final Set<Long> known = new HashSet<>();

  private long daemonInstruction;
  private boolean armed;
  private Step wanted;
  private ToIntFunction<SyscallSupervisor.Call> fault = call -> 0;
  private int injected;

  /** Ends the episode before, and begins one in which {@code step} meets {@code fault}. */
  synchronized void begin(Step step, ToIntFunction<SyscallSupervisor.Call> meets) {
    seen.clear();
    order.clear();
    cloneThreads.clear();
    wanted = step;
    fault = meets;
    injected = 0;
    armed = true;
  }

  /** Ends it; returns the steps that were made, in their order. */
  synchronized List<Step> end() {
    armed = false;
    return List.copyOf(order);
  }

  /** How often the fault was met. */
  synchronized int injected() {
    return injected;
  }

  @Override
  public synchronized int errno(SyscallSupervisor.Call call) {
    if (call.number() == Calls.PRCTL && call.first() == PR_SET_CHILD_SUBREAPER) {
      daemonInstruction = call.instruction();
    }
    if (!armed) {
      return 0;
    }
    Step step = step(call);
    if (step == null) {
      return 0;
    }
    order.add(step);
    if (!step.equals(wanted)) {
      return 0;
    }
    injected++;
    return fault.applyAsInt(call);
  }

  private Step step(SyscallSupervisor.Call call) {
    if (call.instruction() == daemonInstruction) {
      return next(Actor.DAEMON, 0, 0, call.number());
    }
    try {
      Place place = place(call);
      return switch (place) {
        case ELSEWHERE -> null;
        case VDSO -> next(Actor.TRACEE, 0, 0, call.number());
        case ROUTINE -> routine(call);
      };
    } catch (IOException e) {
      // It was killed meanwhile.
      return null;
    }
  }

  private Step routine(SyscallSupervisor.Call call) throws IOException {
    List<String> status = status(call.tid());
    int process = Integer.parseInt(field(status, "Tgid"));
    boolean traced = !field(status, "TracerPid").equals("0");
    if (traced) {
      return next(Actor.TRACEE, 0, 0, call.number());
    }
    // A clone's region is where its zygote's is.
    if (zygotes.contains(process)) {
      return next(Actor.ZYGOTE, 0, 0, call.number());
    }
    int thread = cloneThreads.computeIfAbsent(call.tid(), tid -> cloneThreads.size());
    return next(Actor.CLONE, thread, call.tid(), call.number());
  }

  /** Tells which processes are zygotes; all others that run the routine are clones. */
  synchronized void zygote(long pid) {
    zygotes.add((int) pid);
  }

  private Step next(Actor actor, int thread, int key, int number) {
    int ordinal = seen.merge(new Step(actor, key, number, 0), 1, Integer::sum) - 1;
    return new Step(actor, thread, number, ordinal);
  }

  private enum Place {
    ELSEWHERE,
    VDSO,
    ROUTINE
  }

  /** The mapping's kind; a routine's page stays what it is. */
  private Place place(SyscallSupervisor.Call call) throws IOException {
    long page = call.instruction() & ~PAGE_MASK;
    if (routines.contains(page)) {
      return Place.ROUTINE;
    }
    if (known.contains(page)) {
      return Place.ELSEWHERE;
    }
    for (String line :
        Files.readAllLines(Path.of("/proc/" + call.tid() + "/maps"), StandardCharsets.ISO_8859_1)) {
      String[] parts = line.split(" +", 6);
      String[] range = parts[0].split("-", 2);
      long start = Long.parseUnsignedLong(range[0], 16);
      long end = Long.parseUnsignedLong(range[1], 16);
      if (start <= page && page < end) {
        String path = parts.length > 5 ? parts[5] : "";
        if (path.equals("[vdso]")) {
          return Place.VDSO;
        }
        if (path.isEmpty() && parts[1].equals("r-xp") && end - start == PAGE_MASK + 1) {
          routines.add(page);
          return Place.ROUTINE;
        }
        known.add(page);
        return Place.ELSEWHERE;
      }
    }
    return Place.ELSEWHERE;
  }

  private static List<String> status(int tid) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + tid + "/status"), StandardCharsets.ISO_8859_1);
  }

  private static String field(List<String> status, String name) {
    return status.stream()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1).strip())
        .findFirst()
        .orElse("");
  }
}
