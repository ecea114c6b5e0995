package io.pilotlight.cli.program;

import io.pilotlight.cli.CliException;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.Program;
import io.pilotlight.zygote.ProgramHost;
import io.pilotlight.zygote.ProgramHost.Surroundings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A program that is to be made from its image: what {@code pilotlight restore} was told.
 *
 * @param image the image's directory
 * @param properties system properties that it gets
 * @param arguments a class whose main runs first, and its arguments; or empty
 * @param management what is done for it while it runs
 */
public record Restoration(
    Path image, Map<String, String> properties, List<String> arguments, Management management) {
  /** Copies the collections. */
  public Restoration {
    properties = Map.copyOf(properties);
    arguments = List.copyOf(arguments);
  }

  /**
   * Restores it with this process's standard streams and environment, and waits for its end.
   *
   * @param agent the agent's jar
   * @return its exit status, see {@link Management#await}
   * @throws CliException if it cannot be restored here and now
   */
  public int run(Path agent) throws CliException {
    Path directory = RuntimeDirectory.own(System.getenv());
    try (ProgramHost host = new ProgramHost(directory, agent)) {
      Program program =
          host.restore(
              image.toAbsolutePath().normalize(),
              new Surroundings(System.getenv(), properties, arguments),
              management.checkpoints());
      return Management.await(program, directory);
    } catch (ImageException | IOException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException("interrupted; nothing was restored");
    }
  }
}
