package io.pilotlight.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cli.bench.BenchClock;
import io.pilotlight.cli.bench.ProgramReport;
import io.pilotlight.cli.bench.ProgramRun;
import io.pilotlight.cli.program.JavaCommandLine;
import io.pilotlight.zygote.ProgramHost;
import io.pilotlight.zygote.ProgramSpec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The example that is a program and no function: what {@code bench} does with it. */
record ProgramBench(int count, int coldCount) {
  /** What it is called; the directory of the example too. */
  static final String NAME = "spring";

  /**
   * Measures, prints the result, and leaves nothing.
   *
   * @param jvm the JDK that runs it, and further arguments of its JVM
   */
  void run(JvmOptions jvm, Output output, ObjectNode document) throws CliException {
    Path jar = Installation.home().resolve("examples/spring/target/spring.jar");
    if (!Files.isReadable(jar)) {
      throw new CliException(
          "the example's jar " + jar + " is not there: run ./pilotlight, which builds it");
    }
    int port = freePort();
    try (TemporaryDirectory directory = TemporaryDirectory.create("pilotlight-program-");
        ProgramHost host = new ProgramHost(directory.path(), Installation.agent())) {
      ProgramSpec program =
          JavaCommandLine.program(command(jvm, jar, port), directory.path(), null);
      output.line(
          String.format(
              Locale.ROOT,
              "%s on %s: %d restores of each kind with %d cold starts among them%n",
              NAME,
              program.javaHome(),
              count,
              Math.min(coldCount, count)));
      ProgramReport report =
          new ProgramRun(
                  host,
                  BenchClock.SYSTEM,
                  new ProgramRun.Application(program, port, Installation.launcher()))
              .run(directory.path().resolve("image"), count, Math.min(coldCount, count));
      document.put("program", NAME).put("jvm", program.javaHome().toString());
      report.document(document);
      output.print(document, report::text);
    } catch (IOException e) {
      throw new CliException("the application cannot be run: " + e.getMessage());
    }
  }

  private static List<String> command(JvmOptions jvm, Path jar, int port) {
    List<String> command = new ArrayList<>();
    command.add(jvm.home().resolve("bin").resolve("java").toString());
    command.addAll(jvm.arguments());
    command.addAll(List.of("-jar", jar.toString(), "--server.address=127.0.0.1"));
    // It shares this process's stdout, on which there is to be a table.
    command.addAll(List.of("--server.port=" + port, "--spring.main.banner-mode=off"));
    command.add("--logging.level.root=OFF");
    return command;
  }

  /** One that nobody has now; each process of the application takes it in turn. */
  private static int freePort() throws CliException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new CliException("there is no free port: " + e);
    }
  }
}
