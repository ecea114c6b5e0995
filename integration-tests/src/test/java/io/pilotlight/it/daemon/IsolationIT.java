package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Holding;
import io.pilotlight.it.functions.Inside;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FileTree;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ProcessTable;
import io.pilotlight.it.support.TestJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What isolated functions see from the inside, by a daemon of whoever runs the tests. */
final class IsolationIT {
  private static final String NOBODY = "65534";
  private static final String STATUS = Api.object("do", "read", "path", "/proc/self/status");

  @RegisterExtension final Daemons daemons = new Daemons();

  private Api deployed(DaemonProcess daemon, String isolation) throws Exception {
    daemon.api().deployed("inside", definition(isolation));
    return daemon.api();
  }

  private ObjectNode definition(String isolation) throws IOException {
    Path jar = FunctionJar.of(daemons.directory(), Inside.class);
    return Api.definition(jar, Inside.class.getName())
        .put("isolation", isolation)
        .put("noImage", false)
        .put("pool", 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"process", "sandbox"})
  void clonesHaveTheThreadIdsOfTheirZygote(String isolation) throws Exception {
    Api api = deployed(daemons.start(), isolation);
    Map<String, String> zygote = ownThreads(api.zygotePid("inside"));
    api.awaitImage("inside");
    for (String start : List.of("fork", "fork", "restore", "pool")) {
      JsonNode threads = call(api, start, Api.object("do", "threads"));
      Map<String, String> clone = new TreeMap<>();
      threads.properties().forEach(entry -> clone.put(entry.getKey(), entry.getValue().asText()));
      // The first process of a PID namespace is number 1 in it; all other ids are the zygote's.
      assertThat(clone.remove("1")).isEqualTo("java");
      assertThat(zygote).as(start).containsAllEntriesOf(clone);
      assertThat(clone).hasSize(zygote.size() - 1);
    }
  }

  /** Names of a process's threads by the ids that it knows itself. */
  private static Map<String, String> ownThreads(long pid) throws IOException {
    Map<String, String> threads = new TreeMap<>();
    try (var tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks.toList()) {
        String ids = field(Files.readString(task.resolve("status")), "NSpid");
        threads.put(
            ids.substring(ids.lastIndexOf('\t') + 1),
            Files.readString(task.resolve("comm")).strip());
      }
    }
    return threads;
  }

  @ParameterizedTest
  @ValueSource(strings = {"process", "sandbox"})
  void everyProcessIsConfined(String isolation) throws Exception {
    DaemonProcess daemon = daemons.start();
    Api api = deployed(daemon, isolation);
    api.awaitImage("inside");
    for (String start : List.of("fork", "restore", "pool", "cold")) {
      String status = call(api, start, STATUS).asText();
      for (String capabilities : List.of("CapInh", "CapPrm", "CapEff", "CapAmb")) {
        assertThat(field(status, capabilities)).as(start + " " + capabilities).matches("0+");
      }
      assertThat(field(status, "NoNewPrivs")).as(start).isEqualTo("1");
      assertThat(field(status, "Seccomp")).isEqualTo(isolation.equals("sandbox") ? "2" : "0");
      assertThat(field(status, "Uid").split("\t", -1)).containsOnly(user());
      assertThat(numbers(call(api, start, list("/proc"))))
          .as("processes that a process sees, by " + start)
          .isSubsetOf("1", "2");
      assertThat(texts(call(api, start, list(daemon.setup().data().toString()))))
          .as("what is seen of the data directory")
          .containsExactly("jars");
    }
    for (long clone : api.awaitClones("inside", "idle", 12)) {
      for (String threadStatus : statuses(clone)) {
        assertThat(field(threadStatus, "CapEff")).matches("0+");
      }
    }
  }

  private static List<String> statuses(long pid) throws IOException {
    List<String> found = new ArrayList<>();
    try (var tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks.toList()) {
        found.add(Files.readString(task.resolve("status")));
      }
    }
    return found;
  }

  @ParameterizedTest
  @ValueSource(strings = {"process", "sandbox"})
  void temporaryFilesArePrivate(String isolation) throws Exception {
    Api api = deployed(daemons.start(), isolation);
    for (String directory : List.of("/tmp", "/dev/shm")) {
      String file = directory + "/pilotlight-it-private";
      String write = Api.object("do", "write", "path", file, "text", "mine");
      assertThat(call(api, "fork", write).asText()).isEqualTo(file);
      assertThat(call(api, "warm", Api.object("do", "exists", "path", file)).asBoolean()).isTrue();
      for (String start : List.of("fork", "pool")) {
        assertThat(call(api, start, Api.object("do", "exists", "path", file)).asBoolean())
            .as(file + " by " + start)
            .isFalse();
      }
      assertThat(Path.of(file)).doesNotExist();
    }
  }

  @Test
  void sandboxHasLittleOfTheFileSystem() throws Exception {
    DaemonProcess daemon = daemons.start();
    Api api = deployed(daemon, "sandbox");
    Path agent = daemon.setup().installation().toRealPath().resolve("lib/agent.jar");
    List<String> roots =
        new ArrayList<>(List.of("dev", "etc", "lib", "lib64", "proc", "sys", "tmp", "usr", "var"));
    for (Path shown : List.of(agent, TestJvm.home())) {
      roots.add(shown.getName(0).toString());
    }
    assertThat(texts(call(api, "fork", list("/")))).isSubsetOf(roots);
    assertThat(texts(call(api, "fork", list(agent.getParent().toString()))))
        .containsExactly(agent.getFileName().toString());
    assertThat(call(api, "fork", Api.object("do", "exists", "path", "/etc/passwd")).asBoolean())
        .isFalse();
    for (String path : List.of("/new", "/usr/lib/new", TestJvm.home() + "/new")) {
      Answer answer = api.invoke("inside", Api.object("do", "write", "path", path, "text", "x"));
      assertThat(answer.status()).isEqualTo(500);
      assertThat(answer.text()).contains("Read-only file system");
    }
  }

  @Test
  void sandboxHasTheNetworkIfItIsGivenIt() throws Exception {
    DaemonProcess daemon = daemons.start();
    Api api = deployed(daemon, "sandbox");
    String connect = Api.object("do", "connect", "port", api.base().getPort());
    assertThat(api.invoke("inside", connect).text()).contains("Connection refused");
    daemon.api().deployed("inside", definition("sandbox").put("network", true));
    assertThat(call(api, "fork", connect).asText()).isEqualTo("connected");
  }

  @ParameterizedTest
  @ValueSource(strings = {"process", "sandbox"})
  void aFileOfItsOwnIsInNoImage(String isolation) throws Exception {
    Api api = daemons.start().api();
    Path jar = FunctionJar.of(daemons.directory(), Holding.class);
    // A file of that name is outside too: it is another.
    Path outside = Files.createTempFile("pilotlight-own-file", null);
    try {
      ObjectNode definition =
          Api.definition(jar, Holding.class.getName())
              .put("isolation", isolation)
              .put("noImage", false);
      definition.putObject("env").put("HOLDS", "own-file").put("AT", outside.toString());
      api.deployed("holding", definition);
      assertThat(api.invoke("holding", "\"\"", "Pilotlight-Start", "fork").text())
          .isEqualTo("\"own\"");
      Eventually.holds(
          "the file is named",
          () -> api.function("holding").path("imageError").asText().contains(outside.toString()));
    } finally {
      Files.delete(outside);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"process", "sandbox"})
  void ownerCanAskTheJvm(String isolation) throws Exception {
    Api api = deployed(daemons.start(), isolation);
    for (String start : List.of("fork", "pool")) {
      call(api, start, STATUS);
    }
    for (long clone : api.awaitClones("inside", "idle", 2)) {
      List<String> command = new ArrayList<>();
      if (isRoot()) {
        command.addAll(
            List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"));
      }
      command.addAll(
          List.of(TestJvm.tool("jcmd").toString(), Long.toString(clone), "Thread.print"));
      assertThat(TestJvm.run(command)).contains("\"main\"", "VM Thread");
    }
  }

  /** A daemon that was killed leaves its zygote, whose clones end; the next one goes on with it. */
  @Test
  void zygotesAreTakenOverAndNothingIsLeft() throws Exception {
    DaemonProcess first = daemons.start();
    Api api = deployed(first, "process");
    call(api, "fork", STATUS);
    List<Long> clones = api.clones("inside").stream().map(c -> c.get("pid").asLong()).toList();
    long zygote = api.zygotePid("inside");
    first.kill();
    Eventually.holds(
        "clones end with their daemon", () -> clones.stream().noneMatch(ProcessTable::running));
    assertThat(ProcessTable.running(zygote)).isTrue();

    DaemonProcess second = daemons.start(first.setup());
    assertThat(second.api().function("inside").path("zygote").path("adopted").asBoolean()).isTrue();
    assertThat(second.api().zygotePid("inside")).isEqualTo(zygote);
    for (String start : List.of("fork", "pool")) {
      assertThat(numbers(call(second.api(), start, list("/proc")))).containsExactly("1");
    }
    second.signalEnd();
    assertThat(second.awaitEnd()).isEqualTo(128 + 15);
    assertThat(keepers(second)).isEmpty();
  }

  /** Clones go on without their zygote; when the last has gone, the namespace goes. */
  @Test
  void clonesOutliveTheirZygote() throws Exception {
    DaemonProcess daemon = daemons.start();
    Api api = deployed(daemon, "process");
    call(api, "fork", STATUS);
    assertThat(keepers(daemon)).hasSize(1);
    int keeper = keepers(daemon).get(0);
    ProcessHandle.of(api.zygotePid("inside")).orElseThrow().destroyForcibly();
    Eventually.holds("the zygote is rebuilt", () -> keepers(daemon).size() == 2);
    assertThat(call(api, "warm", STATUS).asText()).contains("NoNewPrivs");
    assertThat(api.remove("inside").status()).isEqualTo(204);
    Eventually.holds("no namespace is left", () -> keepers(daemon).isEmpty());
    assertThat(ProcessTable.running(keeper)).isFalse();
  }

  /** The first processes of the PID namespaces of that daemon's functions. */
  private static List<Integer> keepers(DaemonProcess daemon) throws IOException {
    String owner = "owner=" + Files.readString(daemon.setup().data().resolve("run/owner")).strip();
    return ProcessTable.withArgument(argument -> argument.equals(owner)).stream()
        .map(ProcessTable.Entry::pid)
        .toList();
  }

  @Test
  void isTheDefaultAlsoOfAnInstallationThatOthersCannotReach() throws Exception {
    Path hidden =
        Files.createTempDirectory(
            Path.of("target"),
            "installation",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    DaemonProcess.Setup setup = DaemonProcess.Setup.on(daemons.newData());
    Path installation = FileTree.copy(setup.installation(), hidden.resolve("there"));
    try {
      DaemonProcess daemon =
          daemons.start(new DaemonProcess.Setup(installation, setup.data(), List.of(), List.of()));
      ObjectNode usual = definition("none");
      usual.remove("isolation");
      daemon.api().deployed("inside", usual);
      assertThat(daemon.api().function("inside").get("isolation").asText()).isEqualTo("process");
      assertThat(call(daemon.api(), "fork", STATUS).asText()).contains("NoNewPrivs:\t1");
      List<String> seen = texts(call(daemon.api(), "fork", list(hidden.toAbsolutePath() + "")));
      assertThat(seen).containsExactly("there");
    } finally {
      FileTree.delete(hidden);
    }
  }

  @Test
  void levelThatIsNotAvailableIsRefusedWithTheRemedy() throws Exception {
    DaemonProcess.Setup setup = DaemonProcess.Setup.on(daemons.newData());
    List<String> without =
        List.of(
            "unshare",
            "--user",
            "--map-root-user",
            "sh",
            "-c",
            "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"",
            "sh");
    DaemonProcess daemon =
        daemons.start(
            new DaemonProcess.Setup(setup.installation(), setup.data(), without, List.of()));
    assertThat(daemon.logLines("functions cannot be isolated further")).hasSize(1);
    for (String isolation : List.of("process", "sandbox")) {
      Answer answer = daemon.api().deploy("inside", definition(isolation));
      assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
      assertThat(answer.json().get("detail").asText())
          .contains("'" + isolation + "'", "max_user_namespaces", "--isolation none");
    }
    // Who asks for no level gets the best that works.
    ObjectNode usual = definition("none");
    usual.remove("isolation");
    daemon.api().deployed("inside", usual);
    assertThat(daemon.api().function("inside").get("isolation").asText()).isEqualTo("none");
    assertThat(call(daemon.api(), "fork", STATUS).asText()).contains("NoNewPrivs:\t0");
    Process doctor =
        new ProcessBuilder(without)
            .redirectErrorStream(true)
            .command(doctor(setup, without))
            .start();
    String text = new String(doctor.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(doctor.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(text).contains("up to 'none'", "max_user_namespaces");
  }

  private static List<String> doctor(DaemonProcess.Setup setup, List<String> launcher) {
    List<String> command = new ArrayList<>(launcher);
    command.add(TestJvm.tool("java").toString());
    command.addAll(
        List.of("-jar", setup.installation().resolve("pilotlight.jar").toString(), "doctor"));
    return command;
  }

  private static String list(String directory) {
    return Api.object("do", "list", "path", directory);
  }

  private static JsonNode call(Api api, String start, String payload) throws Exception {
    Answer answer = api.invoke("inside", payload, "Pilotlight-Start", start);
    assertThat(answer.status()).as(start + " " + answer).isEqualTo(200);
    assertThat(answer.start()).isEqualTo(start);
    if (start.equals("pool")) {
      api.awaitClones("inside", "waiting", 1);
    }
    return answer.json();
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(element -> texts.add(element.asText()));
    return texts;
  }

  private static List<String> numbers(JsonNode array) {
    return texts(array).stream().filter(name -> name.matches("\\d+")).toList();
  }

  private static String field(String status, String name) {
    return status
        .lines()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1).strip())
        .findFirst()
        .orElseThrow();
  }

  private static String user() throws IOException {
    String own = field(Files.readString(Path.of("/proc/self/status")), "Uid").split("\t", -1)[1];
    return own.equals("0") ? NOBODY : own;
  }

  private static boolean isRoot() throws IOException {
    return field(Files.readString(Path.of("/proc/self/status")), "Uid").startsWith("0");
  }
}
