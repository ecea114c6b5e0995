package io.pilotlight.zygote;

import io.pilotlight.engine.ConfinedStart;
import io.pilotlight.engine.Confinement;
import io.pilotlight.engine.Isolation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which levels of isolation this machine allows, found out by trying. A level is tried once, which
 * takes some milliseconds. Thread-safe.
 */
public final class IsolationSupport {
  private static final int TEMPORARY_MIB = 1;

  private final ConfinementPolicy policy;
  private final Map<Isolation, Optional<String>> obstacles = new ConcurrentHashMap<>();

  /** For functions that run so. */
  public IsolationSupport(ConfinementPolicy policy) {
    this.policy = policy;
  }

  /** What keeps functions from being isolated so, and what to do about it; empty if nothing. */
  public Optional<String> obstacle(Isolation level) {
    return level == Isolation.NONE
        ? Optional.empty()
        : obstacles.computeIfAbsent(level, this::tried);
  }

  /** On a platform thread of its own: ptrace wants that, and the caller's may be anything. */
  private Optional<String> tried(Isolation level) {
    Confinement confinement =
        new Confinement(
            level,
            false,
            policy.userId(),
            policy.groupId(),
            policy.hidden(),
            List.of(),
            TEMPORARY_MIB);
    CompletableFuture<Optional<String>> result = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                ConfinedStart.check(confinement);
                result.complete(Optional.empty());
              } catch (IOException e) {
                result.complete(Optional.of(e.getMessage() + "; " + remedy()));
              } catch (RuntimeException e) {
                result.completeExceptionally(e);
              }
            },
            "pilotlight-isolation-check");
    thread.start();
    try {
      return result.join();
    } catch (CompletionException e) {
      return Optional.of(String.valueOf(e.getCause()));
    }
  }

  /** The one step that most likely helps. */
  private static String remedy() {
    if (setting("/proc/sys/user/max_user_namespaces").equals("0")) {
      return "allow user namespaces: sysctl user.max_user_namespaces=10000";
    }
    if (setting("/proc/sys/kernel/unprivileged_userns_clone").equals("0")) {
      return "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1";
    }
    if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").equals("1")) {
      return "have AppArmor allow user namespaces:"
          + " sysctl kernel.apparmor_restrict_unprivileged_userns=0";
    }
    if (setting("/proc/self/status").contains("Seccomp:\t2")) {
      return "a seccomp filter is on, probably a container's: allow unshare, clone, mount,"
          + " pivot_root and mount_setattr in it";
    }
    return "in a container /proc must not be covered in part (--security-opt systempaths=unconfined)";
  }

  private static String setting(String file) {
    try {
      return Files.readString(Path.of(file), StandardCharsets.ISO_8859_1).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
