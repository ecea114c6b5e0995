package io.pilotlight.it.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ProcessTable;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Makes each single kernel step of a fork and of a clone's becoming itself fail, with each error
 * that its man page names, and kills zygote or clone there. After each: the request has an answer,
 * what was slower is counted, the next fork works, and nothing is left.
 *
 * <p>With {@code -Dfaults.cases=0} all are tried, else as many as it says, spread evenly.
 */
final class FaultsIT {
  private static final int CASES = Integer.getInteger("faults.cases");
  private static final String ECHO = Api.object("do", "echo", "value", "answered");
  private static final String FUNCTION = "faulty";

  @RegisterExtension static final Daemons daemons = new Daemons();
  private static final Episode episode = new Episode();
  private static DaemonProcess daemon;
  private static Api api;
  private static ObjectNode definition;

  @BeforeAll
  static void start() throws Exception {
    SyscallSupervisor supervisor = new SyscallSupervisor(List.copyOf(Calls.ALL.keySet()));
    supervisor.judge(episode);
    daemon = daemons.start(DaemonProcess.Setup.on(daemons.newData()), supervisor::start);
    api = daemon.api();
    Path jar = FunctionJar.of(daemons.directory(), Probe.class);
    definition = Api.definition(jar, Probe.class.getName()).put("oneShot", true);
    api.deployed(FUNCTION, definition);
  }

  @AfterEach
  void disarm() {
    episode.end();
  }

  @Test
  void everyStepOfAForkFails() throws Exception {
    List<Case> cases = new ArrayList<>();
    for (Step step : stepsOfAFork()) {
      for (int errno : Calls.ALL.get(step.number()).errors()) {
        cases.add(new Case(step, errno));
      }
    }
    run(cases);
  }

  @Test
  void zygoteAndCloneAreKilledAtEveryStepOfAFork() throws Exception {
    List<Case> cases = new ArrayList<>();
    for (Step step : stepsOfAFork()) {
      if (step.actor() != Step.Actor.DAEMON) {
        cases.add(new Case(step, Case.KILL));
      }
    }
    run(cases);
  }

  @Test
  void everyStepOfAFreezeFails() throws Exception {
    List<Case> cases = new ArrayList<>();
    for (Step step : stepsOfAFreeze()) {
      for (int errno : Calls.ALL.get(step.number()).errors()) {
        cases.add(new Case(step, errno));
      }
    }
    List<String> failures = new ArrayList<>();
    Map<String, Integer> outcomes = new TreeMap<>();
    settle();
    Map<String, Integer> before = held();
    for (int i = 0; i < cases.size(); i += stride(cases)) {
      Case chosen = cases.get(i);
      try {
        outcomes.merge(deploy(chosen, before), 1, Integer::sum);
      } catch (AssertionError e) {
        failures.add(chosen + ": " + e.getMessage());
      }
    }
    System.out.println(cases.size() + " cases of a freeze: " + outcomes);
    assertThat(failures).isEmpty();
  }

  /** The first and the last call of each number that each actor makes. */
  private static Set<Step> stepsOfAFreeze() throws Exception {
    episode.begin(null, call -> 0);
    api.deployed("frozen", definition);
    assertThat(api.remove("frozen").status()).isEqualTo(204);
    List<Step> all = episode.end();
    Map<String, Step> last = new TreeMap<>();
    Set<Step> steps = new LinkedHashSet<>();
    for (Step step : all) {
      boolean freezing = step.actor() == Step.Actor.DAEMON || step.actor() == Step.Actor.TRACEE;
      if (freezing && Calls.ALL.containsKey(step.number())) {
        if (step.ordinal() == 0) {
          steps.add(step);
        }
        last.put(step.actor() + Calls.name(step.number()), step);
      }
    }
    steps.addAll(last.values());
    return steps;
  }

  /** It is either deployed all the same, or refused by name; then it can be deployed. */
  private static String deploy(Case chosen, Map<String, Integer> before) throws Exception {
    episode.begin(chosen.step(), chosen::meets);
    Answer answer = api.deploy("frozen", definition);
    episode.end();
    boolean deployed = answer.status() == 201;
    if (!deployed && !answer.text().contains(Calls.name(chosen.step().number()))) {
      throw new AssertionError("no step is named by " + answer);
    }
    if (!deployed) {
      api.deployed("frozen", definition);
    }
    assertThat(api.remove("frozen").status()).isEqualTo(204);
    settle();
    Eventually.holds("nothing left of " + chosen + ", beside " + before, () -> notMore(before));
    return (episode.injected() > 0 ? "" : "not met, ") + answer.status();
  }

  /** A step that fails with an error number, or at which the process is killed. */
  private record Case(Step step, int errno) {
    static final int KILL = -1;

    @Override
    public String toString() {
      return step + (errno == KILL ? ": killed" : ": errno " + errno);
    }

    int meets(SyscallSupervisor.Call call) {
      if (errno != KILL) {
        return errno;
      }
      try {
        String status = Files.readString(Path.of("/proc/" + call.tid() + "/status"));
        String process = status.replaceFirst("(?s).*\nTgid:\\s*(\\d+).*", "$1");
        ProcessHandle.of(Long.parseLong(process)).ifPresent(ProcessHandle::destroyForcibly);
      } catch (java.io.IOException e) {
        // It has ended by itself.
      }
      return 0;
    }
  }

  /** Of two forks, since their threads need not do the same in the same order. */
  private static Set<Step> stepsOfAFork() throws Exception {
    Set<Step> steps = new LinkedHashSet<>();
    for (int i = 0; i < 2; i++) {
      settle();
      episode.begin(null, call -> 0);
      assertThat(forked().status()).isEqualTo(200);
      settle();
      steps.addAll(episode.end());
    }
    // Hundreds that are alike: pages that are touched ahead.
    steps.removeIf(step -> step.number() == Calls.MADVISE && step.ordinal() > 1);
    assertThat(steps.stream().map(Step::actor)).contains(Step.Actor.ZYGOTE, Step.Actor.CLONE);
    steps.removeIf(step -> !Calls.ALL.containsKey(step.number()));
    return steps;
  }

  private static Answer forked() throws Exception {
    return api.invoke(FUNCTION, ECHO, "Pilotlight-Start", "fork");
  }

  private static void run(List<Case> cases) throws Exception {
    int stride = stride(cases);
    List<String> failures = new ArrayList<>();
    Map<String, Integer> outcomes = new TreeMap<>();
    settle();
    Map<String, Integer> before = held();
    for (int i = 0; i < cases.size(); i += stride) {
      Case chosen = cases.get(i);
      try {
        outcomes.merge(run(chosen, before), 1, Integer::sum);
      } catch (AssertionError e) {
        failures.add(chosen + ": " + e.getMessage());
      }
    }
    System.out.println(cases.size() + " cases, one in " + stride + " tried: " + outcomes);
    assertThat(failures).isEmpty();
  }

  private static int stride(List<Case> cases) {
    return CASES == 0 ? 1 : (cases.size() + CASES - 1) / CASES;
  }

  private static String run(Case chosen, Map<String, Integer> before) throws Exception {
    double fallbacks = fallbacks();
    episode.begin(chosen.step(), chosen::meets);
    Answer answer = api.invoke(FUNCTION, ECHO);
    boolean lost = answer.status() == 502 && chosen.step().mayLoseTheAnswer();
    if (answer.status() != 200 && !lost) {
      throw new AssertionError("answer " + answer);
    }
    if (answer.status() == 200 && !answer.start().equals("fork") && fallbacks() <= fallbacks) {
      throw new AssertionError("a start as " + answer.start() + " is not counted as a fallback");
    }
    settle();
    episode.end();
    boolean met = episode.injected() > 0;
    Answer next = Eventually.get("a fork again", () -> forked().status() == 200 ? forked() : null);
    if (!next.start().equals("fork")) {
      throw new AssertionError("the next start is " + next.start());
    }
    settle();
    Eventually.holds("nothing left of " + chosen + ", beside " + before, () -> notMore(before));
    return met ? answer.status() + " " + answer.start() : "not met";
  }

  private static boolean notMore(Map<String, Integer> before) throws Exception {
    Map<String, Integer> now = held();
    return now.entrySet().stream()
        .allMatch(entry -> entry.getValue() <= before.getOrDefault(entry.getKey(), 0));
  }

  private static double fallbacks() throws Exception {
    return api.metric("pilotlight_fallbacks_total", Map.of());
  }

  /** Waits until there is a zygote and no other process of a function. */
  private static void settle() throws Exception {
    Eventually.holds(
        "one zygote and nothing else",
        () -> {
          long zygote = api.zygotePid(FUNCTION);
          List<ProcessTable.Entry> processes = daemon.functionProcesses();
          return zygote > 0
              && processes.size() == 1
              && processes.get(0).pid() == zygote
              && ProcessTable.zombiesOf(daemon.pid()).isEmpty();
        });
    episode.zygote(api.zygotePid(FUNCTION));
  }

  /** Descriptors of daemon and zygote by kind, and files. */
  private static Map<String, Integer> held() throws Exception {
    Map<String, Integer> held = new TreeMap<>();
    count(held, "daemon", daemon.pid());
    count(held, "zygote", api.zygotePid(FUNCTION));
    held.put("run files", daemon.runFiles().size());
    return held;
  }

  private static void count(Map<String, Integer> held, String whose, long pid) throws Exception {
    try (DirectoryStream<Path> links = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
      for (Path link : links) {
        String kind;
        try {
          kind = Files.readSymbolicLink(link).toString().replaceFirst(":?\\[?\\d+\\]?$", "");
        } catch (java.nio.file.NoSuchFileException e) {
          continue;
        }
        if (kind.startsWith("socket") || kind.startsWith("pipe") || kind.startsWith("anon_inode")) {
          held.merge(whose + " " + kind, 1, Integer::sum);
        }
      }
    }
  }
}
