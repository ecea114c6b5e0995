package io.pilotlight.it.support;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** Packs functions of the test sources into a jar, as a developer would ship them. */
public final class FunctionJar {
  private FunctionJar() {}

  /** A jar with the given classes and all that are nested in them. */
  public static Path of(Path directory, Class<?>... classes) throws IOException {
    Path jar = Files.createTempFile(directory, "function", ".jar");
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file)) {
      for (Class<?> type : classes) {
        addWithNested(out, type);
      }
    }
    return jar;
  }

  private static void addWithNested(JarOutputStream out, Class<?> type) throws IOException {
    String resource = type.getName().replace('.', '/');
    Path folder = classFile(type).getParent();
    String simple = resource.substring(resource.lastIndexOf('/') + 1);
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if (name.equals(simple + ".class") || name.startsWith(simple + "$")) {
          out.putNextEntry(
              new JarEntry(resource.substring(0, resource.lastIndexOf('/') + 1) + name));
          try (InputStream in = Files.newInputStream(file)) {
            in.transferTo(out);
          }
          out.closeEntry();
        }
      }
    }
  }

  private static Path classFile(Class<?> type) {
    String resource = "/" + type.getName().replace('.', '/') + ".class";
    return Path.of(java.net.URI.create(type.getResource(resource).toString()));
  }
}
