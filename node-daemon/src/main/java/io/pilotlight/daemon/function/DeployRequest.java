package io.pilotlight.daemon.function;

import java.nio.file.Path;
import java.util.List;

/**
 * What a client asks to be deployed.
 *
 * @param jars absolute paths of the function's jars, in class path order
 * @param layers absolute paths of jars that are searched after them
 * @param settings everything else, complete
 */
public record DeployRequest(List<Path> jars, List<Path> layers, FunctionSettings settings) {
  /** Copies the lists. */
  public DeployRequest {
    jars = List.copyOf(jars);
    layers = List.copyOf(layers);
  }
}
