package io.pilotlight.cli.bench;

import io.pilotlight.cli.CliException;
import io.pilotlight.descriptor.DescriptorPolicy;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageSummary;
import io.pilotlight.zygote.Program;
import io.pilotlight.zygote.Program.Checkpoints;
import io.pilotlight.zygote.ProgramHost;
import io.pilotlight.zygote.ProgramHost.Surroundings;
import io.pilotlight.zygote.ProgramSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Measures a web application from its start to its first right answer: cold, and restored from an
 * image that was made when it had served for a while. One of each in turn, round after round.
 */
public final class ProgramRun {
  private static final int SIGKILL = 9;
  private static final int WARMUP_REQUESTS = 500;

  /** Rounds before, without the cold start: this JVM's own code is part of the engine's time. */
  private static final int WARMUP_ROUNDS = 5;

  private static final long END_SECONDS = 60;
  private static final Checkpoints NONE = new Checkpoints(null, false, DescriptorPolicy.NONE);

  private final ProgramHost host;
  private final BenchClock clock;
  private final Application application;
  private final FirstAnswer answers;
  private int questions;

  /**
   * What is measured.
   *
   * @param program its command line; it prints nothing
   * @param port where it listens on the loopback interface
   * @param launcher the command that runs pilotlight's command line
   */
  public record Application(ProgramSpec program, int port, List<String> launcher) {
    /** Copies the list. */
    public Application {
      launcher = List.copyOf(launcher);
    }
  }

  /**
   * Prepares a run.
   *
   * @param host restores
   * @param clock measures
   * @param application what is started
   */
  public ProgramRun(ProgramHost host, BenchClock clock, Application application) {
    this.host = host;
    this.clock = clock;
    this.application = application;
    this.answers = new FirstAnswer(clock, application.port());
  }

  /**
   * Makes the image and measures.
   *
   * @param image the directory that is made for it
   * @param count restores of each kind
   * @param coldCount cold starts, spread evenly among them
   */
  public ProgramReport run(Path image, int count, int coldCount) throws CliException {
    ProgramReport.Times cold = new ProgramReport.Times("cold");
    ProgramReport.Times engine = new ProgramReport.Times("restore, from the engine's request");
    ProgramReport.Times command =
        new ProgramReport.Times("restore, from the launch of the command");
    try {
      ImageSummary made = makeImage(image);
      for (int round = 0; round < WARMUP_ROUNDS; round++) {
        byEngine(image);
      }
      for (int round = 0; round < count; round++) {
        if ((long) round * coldCount % count < coldCount) {
          cold.add(byCommand(application.program().command()));
        }
        engine.add(byEngine(image));
        List<String> launch = new ArrayList<>(application.launcher());
        launch.addAll(List.of("restore", image.toString()));
        command.add(byCommand(launch));
      }
      return new ProgramReport(List.of(cold, engine, command), made.bytes());
    } catch (IOException | ImageException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException("interrupted while measuring");
    }
  }

  private ImageSummary makeImage(Path image)
      throws CliException, IOException, InterruptedException {
    Program program = host.start(application.program(), System.getenv(), NONE);
    try {
      for (int request = 0; request < WARMUP_REQUESTS; request++) {
        answers.await(questions++);
      }
      ImageSummary made = program.checkpoint(image, false).get();
      ended(program);
      return made;
    } catch (ExecutionException e) {
      throw new CliException("the application has no image: " + e.getCause());
    } finally {
      program.signal(SIGKILL);
    }
  }

  private long byEngine(Path image)
      throws CliException, IOException, ImageException, InterruptedException {
    long begin = clock.nanos();
    Program program =
        host.restore(image, new Surroundings(System.getenv(), Map.of(), List.of()), NONE);
    try {
      return answers.await(questions++) - begin;
    } finally {
      program.signal(SIGKILL);
      ended(program);
    }
  }

  private static void ended(Program program) throws CliException, InterruptedException {
    try {
      program.exit().get(END_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new CliException("process " + program.pid() + " does not end: " + e);
    }
  }

  private long byCommand(List<String> command)
      throws CliException, IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.directory(application.program().directory().toFile());
    builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    long begin = clock.nanos();
    Process process = builder.start();
    try {
      return answers.await(questions++) - begin;
    } finally {
      // Passed on to the application by who restored it.
      process.destroy();
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    }
  }
}
