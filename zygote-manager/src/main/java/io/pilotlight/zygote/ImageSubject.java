package io.pilotlight.zygote;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.nio.file.Path;

/** What the JVM of an image runs. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
  @JsonSubTypes.Type(value = FunctionSpec.class, name = "function"),
  @JsonSubTypes.Type(value = ProgramSpec.class, name = "program")
})
public sealed interface ImageSubject permits FunctionSpec, ProgramSpec {
  /** What people call it. */
  String name();

  /** Which version of it; programs have none. */
  String version();

  /** The JDK or JRE that runs it. */
  Path javaHome();
}
