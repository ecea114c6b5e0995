package io.pilotlight.it.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.functions.Selecting;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.FunctionJar;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The daemon under a filter that refuses what Docker's default seccomp profile refuses to a
 * container without capabilities.
 */
final class ContainerProfileIT {
  private static final int EPERM = 1;
  private static final int ENOSYS = 38;
  private static final int CLONE3 = 435;

  /**
   * unshare, mount, umount2, pivot_root, swapon, reboot, init_module, kexec_load, add_key,
   * request_key, keyctl, move_pages, perf_event_open, name_to_handle_at, open_by_handle_at, setns,
   * bpf, userfaultfd, open_tree, move_mount, fsopen, fsmount; and what wants CAP_SYS_PTRACE: kcmp,
   * pidfd_getfd, process_madvise; and CAP_SYS_NICE: mbind, set_mempolicy, get_mempolicy.
   */
  private static final List<Integer> REFUSED =
      List.of(
          272, 165, 166, 155, 167, 169, 175, 246, 248, 249, 250, 279, 298, 303, 304, 308, 321, 323,
          428, 429, 430, 432, 312, 438, 440, 237, 238, 239);

  @RegisterExtension final Daemons daemons = new Daemons();

  private Api start() throws Exception {
    return daemons
        .start(
            DaemonProcess.Setup.on(daemons.newData()),
            builder ->
                SyscallSupervisor.startWithout(builder, List.of(CLONE3), ENOSYS, REFUSED, EPERM))
        .api();
  }

  @Test
  void selectorsWork() throws Exception {
    // It has pipes, selectors and sockets, which are looked into at the freeze.
    Api api = start();
    api.deployed(
        "selecting",
        Api.definition(
            FunctionJar.of(daemons.directory(), Selecting.class), Selecting.class.getName()));
    for (int i = 0; i < 2; i++) {
      Answer answer = api.invoke("selecting", "\"no url\"", "Pilotlight-Start", "fork");
      assertThat(answer.start()).isEqualTo("fork");
      // Past the pipe and the selector, it asks for a URL that is none.
      assertThat(answer.text()).contains("IllegalArgumentException", "no url");
    }
  }

  @Test
  void everyStartWorks() throws Exception {
    Api api = start();
    api.deployed(
        "probe",
        Api.definition(FunctionJar.of(daemons.directory(), Probe.class), Probe.class.getName())
            .put("pool", 1));
    api.awaitClones("probe", "waiting", 1);
    for (String start : List.of("pool", "fork", "cold", "warm")) {
      Answer answer =
          api.invoke("probe", Api.object("do", "echo", "value", start), "Pilotlight-Start", start);
      assertThat(answer.text()).isEqualTo("\"" + start + "\"");
      assertThat(answer.start()).isEqualTo(start);
    }
  }
}
