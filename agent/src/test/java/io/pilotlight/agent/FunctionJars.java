package io.pilotlight.agent;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.events.SQSEvent;
import functions.AwsHandlers;
import io.pilotlight.agent.wire.Frame;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.crac.Resource;

/** The test functions as a user would deploy them: their own jar, and the libraries' jars. */
public record FunctionJars(List<String> all) {
  private static final String LEFT_OUT = "LeftOut.class";

  /** Packs the functions into a jar in {@code directory}. */
  public static FunctionJars in(Path directory) throws IOException, URISyntaxException {
    Path jar = directory.resolve("functions.jar");
    Path classes = sourceOf(AwsHandlers.class);
    try (OutputStream file = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(file);
        Stream<Path> files = Files.walk(classes.resolve("functions"))) {
      for (Path path : files.filter(Files::isRegularFile).toList()) {
        if (!path.endsWith(LEFT_OUT)) {
          zip.putNextEntry(new ZipEntry(classes.relativize(path).toString()));
          Files.copy(path, zip);
        }
      }
    }
    return new FunctionJars(
        List.of(
            jar.toString(),
            sourceOf(Context.class).toString(),
            sourceOf(SQSEvent.class).toString(),
            sourceOf(Resource.class).toString(),
            sourceOf(org.joda.time.DateTime.class).toString()));
  }

  private static Path sourceOf(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  /** What the daemon would send to have {@code handler} hosted. */
  public Frame.Init init(String handler) {
    return new Frame.Init("shop", "$LATEST", handler, all, List.of(), 256, true);
  }
}
