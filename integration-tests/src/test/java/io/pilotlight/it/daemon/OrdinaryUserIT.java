package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Greedy;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ProcessTable;
import io.pilotlight.it.support.TestJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The daemon of an ordinary user without any capability: everything works. Where the tests run as
 * root they become that user, elsewhere they are one already.
 */
final class OrdinaryUserIT {
  private static final int NOBODY = 65534;
  private static final String COUNT = Api.object("do", "count");

  @RegisterExtension final Daemons daemons = new Daemons();

  @ParameterizedTest
  @ValueSource(strings = {"none", "process", "sandbox"})
  void everythingWorks(String isolation) throws Exception {
    DaemonProcess daemon = daemons.start(setup());
    assertThat(status(daemon.pid(), "CapEff")).matches("0+");
    assertThat(status(daemon.pid(), "NoNewPrivs")).isEqualTo(isRoot() ? "1" : status("NoNewPrivs"));
    Api api = daemon.api();
    Path jar = FunctionJar.of(daemons.directory(), Probe.class);
    Files.setPosixFilePermissions(jar, PosixFilePermissions.fromString("rw-r--r--"));
    ObjectNode definition = Api.definition(jar, Probe.class.getName()).put("pool", 2);
    api.deployed("probe", definition.put("isolation", isolation).put("noImage", false));
    long zygote = api.zygotePid("probe");
    assertThat(status(zygote, "CapEff")).matches("0+");
    assertThat(status(zygote, "Uid")).isEqualTo(status(daemon.pid(), "Uid"));

    api.awaitClones("probe", "waiting", 2);
    api.awaitImage("probe");
    for (String start : List.of("fork", "restore", "pool", "cold")) {
      Answer answer = api.invoke("probe", COUNT, "Pilotlight-Start", start);
      assertThat(answer.text()).as(start).isEqualTo("1");
      assertThat(answer.start()).isEqualTo(start);
    }
    assertThat(api.invoke("probe", COUNT, "Pilotlight-Start", "warm").text()).isEqualTo("2");

    ProcessHandle.of(zygote).orElseThrow().destroyForcibly();
    Eventually.holds(
        "a new zygote",
        () -> {
          long pid = api.zygotePid("probe");
          return pid != 0 && pid != zygote;
        });
    assertThat(api.invoke("probe", COUNT, "Pilotlight-Start", "fork").text()).isEqualTo("1");

    daemon.kill();
    DaemonProcess second = daemons.start(daemon.setup());
    assertThat(second.api().function("probe").path("zygote").path("adopted").asBoolean()).isTrue();
    second.api().awaitClones("probe", "waiting", 2);
    for (String start : List.of("fork", "pool")) {
      Answer answer = second.api().invoke("probe", COUNT, "Pilotlight-Start", start);
      assertThat(answer.text()).as(start).isEqualTo("1");
      threadDump(pid(second.api(), answer));
    }
    second.signalEnd();
    assertThat(second.awaitEnd()).isEqualTo(128 + 15);
    assertThat(second.functionProcesses()).isEmpty();
    assertThat(second.runFiles()).containsExactly("owner");
  }

  /**
   * The kernel counts all threads of a user, and refuses more in the zygote and its clones than its
   * limit says. Without a process, the function starts cold. With some threads missing the clone
   * runs, goes on trying, and gives up in the end.
   */
  @Test
  void limitOnThreads() throws Exception {
    DaemonProcess daemon = daemons.start(setup());
    Api api = daemon.api();
    Path jar = FunctionJar.of(daemons.directory(), Probe.class);
    Files.setPosixFilePermissions(jar, PosixFilePermissions.fromString("rw-r--r--"));
    api.deployed("probe", Api.definition(jar, Probe.class.getName()).put("oneShot", true));
    long zygote = api.zygotePid("probe");
    String user = status(zygote, "Uid");
    int threads = Integer.parseInt(status(zygote, "Threads"));
    assertThat(api.invoke("probe", COUNT).start()).isEqualTo("fork");

    limit(zygote, 1);
    assertThat(api.invoke("probe", COUNT).start()).isEqualTo("cold");
    assertThat(daemon.logLines("start fell back", "reason=\"fork-failed\"", "EAGAIN")).hasSize(1);

    api.awaitClones("probe", "busy", 0);
    limit(zygote, ProcessTable.threadsOf(user) + threads / 2);
    Answer lost = api.invoke("probe", Api.object("do", "hang"));
    assertThat(lost.status()).isEqualTo(502);
    assertThat(lost.text()).contains("status 124", "limits on processes");

    Path file = Files.createFile(daemons.directory().resolve("held"));
    CompletableFuture<Answer> patient =
        api.invokeAsync("probe", Api.object("do", "await", "file", file.toString()));
    long clone = api.awaitClones("probe", "busy", 1).get(0);
    limit(clone, ProcessTable.threadsOf(user) + 2 * threads);
    Eventually.holds(
        "it has all its threads", () -> status(clone, "Threads").equals(Integer.toString(threads)));
    Files.delete(file);
    assertThat(patient.get(30, TimeUnit.SECONDS).text()).isEqualTo("\"gone\"");
  }

  /** Without control groups of its own: what rlimits and the JVM can do. */
  @Test
  void limitsWithoutControlGroups() throws Exception {
    DaemonProcess daemon = daemons.start(setup());
    Api api = daemon.api();
    Path jar = FunctionJar.of(daemons.directory(), Greedy.class);
    Files.setPosixFilePermissions(jar, PosixFilePermissions.fromString("rw-r--r--"));
    ObjectNode definition = Api.definition(jar, Greedy.class.getName()).put("pidsLimit", 99);
    // What one call has taken the next one would lack.
    definition.put("oneShot", true);
    definition.put("memoryMib", 160).put("cpus", 0.5).put("openFiles", 100).put("fileSizeMib", 8);
    JsonNode deployed = api.deployed("greedy", definition);
    assertThat(daemon.logLines("limits are enforced by rlimits", "to have them: ")).hasSize(1);
    assertThat(deployed.get("warnings").toString())
        .contains("0.5 processors is not enforced", "99 processes and threads is not enforced");

    // Who is refused memory first is chance: the function, or the JVM, which ends then, or which
    // takes it for a heap that is full.
    Answer memory = api.invoke("greedy", Api.object("take", "native"));
    assertThat(memory.status()).as(memory.toString()).isIn(500, 502);
    assertThat(memory.json().path("limit").asText()).as(memory.toString()).isEqualTo("memory");
    assertThat(memory.text()).contains("memory limit of 160 MiB, ");
    Answer heap = api.invoke("greedy", Api.object("take", "heap"));
    assertThat(heap.text()).contains("120 MiB of it for the heap");
    Answer files = api.invoke("greedy", Api.object("take", "descriptors"));
    assertThat(files.text()).contains("limit of 100 open files");
    Path file = daemon.setup().data().resolve("large");
    Answer disk = api.invoke("greedy", Api.object("take", "disk", "file", file.toString()));
    assertThat(disk.text()).contains("limit of 8 MiB for a file");
    assertThat(Files.size(file)).isEqualTo(8 << 20);
  }

  private static void limit(long pid, int threads) throws Exception {
    List<String> command = new ArrayList<>(launcher());
    command.addAll(List.of("prlimit", "--pid", Long.toString(pid), "--nproc=" + threads + ":"));
    TestJvm.run(command);
  }

  private static long pid(Api api, Answer answer) throws Exception {
    return api.clones("probe").stream()
        .filter(c -> c.get("id").asText().equals(answer.header("Pilotlight-Clone")))
        .findFirst()
        .orElseThrow()
        .get("pid")
        .asLong();
  }

  private static void threadDump(long pid) throws Exception {
    assertThat(ProcessTable.running(pid)).isTrue();
    List<String> command = new ArrayList<>(launcher());
    command.addAll(List.of(TestJvm.tool("jcmd").toString(), Long.toString(pid), "Thread.print"));
    assertThat(TestJvm.run(command)).contains("\"main\"", "VM Thread");
  }

  private static boolean isRoot() {
    return status("Uid").startsWith("0\t");
  }

  /** What makes a command one of the ordinary user's. */
  private static List<String> launcher() {
    return isRoot()
        ? List.of(
            "setpriv",
            "--reuid=" + NOBODY,
            "--regid=" + NOBODY,
            "--clear-groups",
            "--no-new-privs",
            "--inh-caps=-all",
            "--bounding-set=-all")
        : List.of();
  }

  private DaemonProcess.Setup setup() throws IOException {
    Path directory = daemons.directory();
    Path data = daemons.newData();
    DaemonProcess.Setup built = DaemonProcess.Setup.on(data);
    if (!isRoot()) {
      return built;
    }
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.setAttribute(data, "unix:uid", NOBODY);
    Files.setAttribute(data, "unix:gid", NOBODY);
    // The user may not be allowed to read where this was built.
    Path installation = directory.resolve("installation");
    copy(built.installation().resolve("pilotlight.jar"), installation);
    try (Stream<Path> jars = Files.list(built.installation().resolve("lib"))) {
      for (Path jar : jars.toList()) {
        copy(jar, installation.resolve("lib"));
      }
    }
    return new DaemonProcess.Setup(installation, data, launcher(), List.of());
  }

  private static void copy(Path jar, Path directory) throws IOException {
    Files.createDirectories(directory);
    Path copy = Files.copy(jar, directory.resolve(jar.getFileName().toString()));
    Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-r--r--"));
  }

  private static String status(String field) {
    return status(ProcessHandle.current().pid(), field);
  }

  private static String status(long pid, String field) {
    try {
      return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
          .filter(line -> line.startsWith(field + ":"))
          .map(line -> line.substring(field.length() + 1).strip())
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
