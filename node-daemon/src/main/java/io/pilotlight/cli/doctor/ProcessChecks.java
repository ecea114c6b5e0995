package io.pilotlight.cli.doctor;

import io.pilotlight.cgroup.Delegation;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What this user may do: capabilities, tracing, namespaces, control groups, limits. */
final class ProcessChecks {
  private static final String STATUS = "/proc/self/status";
  private static final int CAP_SYS_PTRACE = 19;
  private static final int CAP_SYS_ADMIN = 21;
  private static final int CAP_CHECKPOINT_RESTORE = 40;
  private static final long ENOUGH_FILES = 4_096;
  private static final long ENOUGH_PROCESSES = 4_096;
  private static final Pattern LIMIT =
      Pattern.compile("^(Max open files|Max processes)\\s+(\\S+)\\s+(\\S+)", Pattern.MULTILINE);

  private final HostFiles files;

  ProcessChecks(HostFiles files) {
    this.files = files;
  }

  List<Finding> run() {
    List<Finding> findings = new ArrayList<>();
    findings.add(identity());
    findings.add(tracing());
    findings.add(seccomp());
    findings.add(userNamespaces());
    findings.add(controlGroups());
    findings.addAll(limits());
    findings.add(proc());
    return findings;
  }

  private String uid() {
    return files.field(STATUS, "Uid").map(ids -> ids.split("\\s+", 2)[0]).orElse("?");
  }

  private boolean capable(int capability) {
    String mask = files.field(STATUS, "CapEff").orElse("0");
    return (Long.parseUnsignedLong(mask, 16) & (1L << capability)) != 0;
  }

  private Finding identity() {
    String mask = files.field(STATUS, "CapEff").orElse("unknown");
    String found = "uid " + uid() + ", CapEff " + mask;
    return capable(CAP_SYS_ADMIN) || capable(CAP_CHECKPOINT_RESTORE)
        ? Finding.ok("user", found)
        : Finding.limited(
            "user",
            found,
            "nothing needs privilege; threads of a clone get new ids (CAP_CHECKPOINT_RESTORE"
                + " would keep them)");
  }

  /** The zygote is a descendant of the daemon, which is all that scope 1 asks for. */
  private Finding tracing() {
    String scope = files.text("/proc/sys/kernel/yama/ptrace_scope").orElse("none");
    String found = scope.equals("none") ? "no Yama" : "ptrace_scope " + scope;
    if (scope.equals("3")) {
      return Finding.missing(
          "ptrace", found, "it forbids tracing until the next boot: boot with a lower one");
    }
    if (scope.equals("2") && !capable(CAP_SYS_PTRACE)) {
      return Finding.missing(
          "ptrace", found, "sysctl kernel.yama.ptrace_scope=1, or give the daemon CAP_SYS_PTRACE");
    }
    return Finding.ok("ptrace", found);
  }

  private Finding seccomp() {
    return files.field(STATUS, "Seccomp").orElse("0").equals("2")
        ? Finding.limited(
            "seccomp",
            "a filter is on",
            "a container's profile may forbid ptrace or clone3: if a deploy fails with EPERM or"
                + " ENOSYS, run with --security-opt seccomp=unconfined or a profile that has them")
        : Finding.ok("seccomp", "no filter");
  }

  private Finding userNamespaces() {
    String most = files.text("/proc/sys/user/max_user_namespaces").orElse("0");
    boolean off = files.text("/proc/sys/kernel/unprivileged_userns_clone").orElse("1").equals("0");
    boolean confined =
        files
            .text("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
            .orElse("0")
            .equals("1");
    if (most.equals("0") || ((off || confined) && !capable(CAP_SYS_ADMIN))) {
      return Finding.limited(
          "user namespaces",
          most.equals("0") ? "none" : off ? "for root only" : "confined by AppArmor",
          "not needed for forks; isolation of clones by an ordinary user needs them");
    }
    return Finding.ok("user namespaces", "up to " + most);
  }

  private Finding controlGroups() {
    Delegation delegation =
        Delegation.of(files.root(), Files::isWritable, ProcessHandle.current().pid());
    if (delegation instanceof Delegation.Absent absent) {
      return Finding.limited(
          "control groups",
          absent.why(),
          "limits of functions are enforced by rlimits and JVM flags only; to have the others: "
              + absent.remedy());
    }
    return Finding.ok("control groups", delegation.toString());
  }

  private List<Finding> limits() {
    List<Finding> findings = new ArrayList<>();
    Matcher matcher = LIMIT.matcher(files.text("/proc/self/limits").orElse(""));
    while (matcher.find()) {
      boolean open = matcher.group(1).equals("Max open files");
      // A JVM raises its soft limit of open files to the hard one by itself; not that of processes.
      String value = open ? matcher.group(3) : matcher.group(2);
      String check = open ? "open files" : "processes";
      long enough = open ? ENOUGH_FILES : ENOUGH_PROCESSES;
      boolean exempt = !open && uid().equals("0");
      if (exempt || value.equals("unlimited") || Long.parseLong(value) >= enough) {
        findings.add(Finding.ok(check, value));
      } else {
        findings.add(
            Finding.limited(
                check,
                value,
                open
                    ? "each clone takes a few descriptors of the daemon: ulimit -n " + enough
                    : "each clone takes some 20 threads: ulimit -u " + enough));
      }
    }
    return findings;
  }

  private Finding proc() {
    String options =
        files.lines("/proc/self/mountinfo").stream()
            .filter(line -> line.contains(" /proc ") && line.contains(" - proc "))
            .findFirst()
            .orElse("");
    Matcher hidden = Pattern.compile("hidepid=(\\w+)").matcher(options);
    if (!hidden.find() || hidden.group(1).equals("0") || hidden.group(1).equals("off")) {
      return Finding.ok("/proc", "all processes visible");
    }
    return hidden.group(1).equals("4") || hidden.group(1).equals("ptraceable")
        ? Finding.limited(
            "/proc",
            "hidepid=" + hidden.group(1),
            "processes that cannot be traced are hidden: memory figures of clones may lack")
        : Finding.ok("/proc", "hidepid=" + hidden.group(1) + ", own processes visible");
  }
}
