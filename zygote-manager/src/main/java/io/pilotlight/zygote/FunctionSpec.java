package io.pilotlight.zygote;

import io.pilotlight.descriptor.DescriptorOptions;
import io.pilotlight.engine.Isolation;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a JVM needs to know to host a function.
 *
 * @param name the function's name
 * @param version its version; a zygote belongs to exactly one
 * @param handler {@code package.Class} or {@code package.Class::method}
 * @param jars the function's jars in class path order; absolute, and never rewritten while a JVM of
 *     it lives
 * @param layers jars that are searched after {@code jars}
 * @param environment the whole environment of its processes
 * @param limits what one of its processes may use
 * @param javaHome the JDK or JRE that runs it
 * @param jvmArgs further arguments for that JVM, after Pilotlight's own
 * @param descriptors what is done about descriptors that are open at the freeze
 * @param isolation how far its processes are kept from everything else
 * @param network whether it has the machine's network in a sandbox
 */
public record FunctionSpec(
    String name,
    String version,
    String handler,
    List<Path> jars,
    List<Path> layers,
    Map<String, String> environment,
    Limits limits,
    Path javaHome,
    List<String> jvmArgs,
    DescriptorOptions descriptors,
    Isolation isolation,
    boolean network)
    implements ImageSubject {

  /** Copies the collections. */
  public FunctionSpec {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(version, "version");
    Objects.requireNonNull(handler, "handler");
    Objects.requireNonNull(limits, "limits");
    Objects.requireNonNull(javaHome, "javaHome");
    Objects.requireNonNull(isolation, "isolation");
    jars = List.copyOf(jars);
    layers = List.copyOf(layers);
    environment = Map.copyOf(environment);
    jvmArgs = List.copyOf(jvmArgs);
    Objects.requireNonNull(descriptors, "descriptors");
  }

  /** One that says nothing about descriptors, and is not isolated. */
  public FunctionSpec(
      String name,
      String version,
      String handler,
      List<Path> jars,
      List<Path> layers,
      Map<String, String> environment,
      Limits limits,
      Path javaHome,
      List<String> jvmArgs) {
    this(
        name,
        version,
        handler,
        jars,
        layers,
        environment,
        limits,
        javaHome,
        jvmArgs,
        DescriptorOptions.DEFAULT,
        Isolation.NONE,
        false);
  }

  /** The same with other options for descriptors. */
  public FunctionSpec with(DescriptorOptions options) {
    return new FunctionSpec(
        name,
        version,
        handler,
        jars,
        layers,
        environment,
        limits,
        javaHome,
        jvmArgs,
        options,
        isolation,
        network);
  }
}
