package io.pilotlight.zygote;

import io.pilotlight.linux.Fd;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Processes;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reaps clones that nobody knows: their zygote was lost after it had made them and before it could
 * tell so. Such a clone ends by itself, since its channel is closed, but stays as a dead child.
 *
 * <p>Every other child is reaped as soon as it ends. So whatever is dead at two looks is a stray.
 */
final class Strays {
  private static final Logger LOG = LoggerFactory.getLogger(Strays.class);
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final HostServices services;

  Strays(HostServices services) {
    this.services = services;
  }

  /** To be called when a zygote has ended. */
  void reapLater() {
    services.later(PAUSE, () -> reapLater(dead()));
  }

  private void reapLater(List<Integer> dead) {
    if (!dead.isEmpty()) {
      services.later(
          PAUSE,
          () -> {
            List<Integer> stillDead = dead();
            stillDead.retainAll(dead);
            stillDead.forEach(Strays::reap);
          });
    }
  }

  private static List<Integer> dead() {
    int self = (int) ProcessHandle.current().pid();
    List<Integer> found = new ArrayList<>();
    try {
      for (int pid : ProcFs.processes()) {
        if (ProcFs.deadChild(pid, self)) {
          found.add(pid);
        }
      }
    } catch (IOException e) {
      LOG.warn("dead children cannot be looked for", e);
    }
    return found;
  }

  private static void reap(int pid) {
    try {
      Optional<Fd> process = Processes.pidfd(pid);
      if (process.isPresent()) {
        try (Fd pidfd = process.get()) {
          if (Processes.reap(pidfd).isPresent()) {
            LOG.info("clone {} was reaped, of which its zygote had not told", pid);
          }
        }
      }
    } catch (IOException e) {
      LOG.warn("dead child {} cannot be reaped", pid, e);
    }
  }
}
