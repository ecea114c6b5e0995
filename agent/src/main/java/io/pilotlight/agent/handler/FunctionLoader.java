package io.pilotlight.agent.handler;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * The function's classes: its jars, then its layers, over the platform. The agent is not among its
 * parents, so neither its classes nor its libraries can be seen or get in the way.
 */
public final class FunctionLoader extends URLClassLoader {
  private static final String NAME = "pilotlight-function";

  static {
    registerAsParallelCapable();
  }

  private final List<String> files;

  private FunctionLoader(URL[] urls, List<String> files) {
    super(NAME, urls, ClassLoader.getPlatformClassLoader());
    this.files = files;
  }

  /**
   * Checks every file before any of them is used.
   *
   * @throws HostingException naming the jar at fault
   */
  public static FunctionLoader open(List<String> jars, List<String> layers)
      throws HostingException {
    List<URL> urls = new ArrayList<>();
    List<String> files = new ArrayList<>();
    for (String jar : jars) {
      urls.add(checked("jar", jar));
      files.add(jar);
    }
    for (String layer : layers) {
      urls.add(checked("layer", layer));
      files.add(layer);
    }
    return new FunctionLoader(urls.toArray(new URL[0]), List.copyOf(files));
  }

  /** Where its classes come from, for messages. */
  String describe() {
    return files.isEmpty() ? "no jars at all" : String.join(", ", files);
  }

  private static URL checked(String what, String file) throws HostingException {
    String subject = what + " " + file;
    try {
      Path path = Path.of(file);
      if (!Files.exists(path)) {
        throw HostingException.jar(
            NoSuchFileException.class,
            subject + " does not exist; give the path of a jar on this host");
      }
      if (Files.isDirectory(path)) {
        throw HostingException.jar(
            NotDirectoryException.class, subject + " is a directory; pack it into a jar");
      }
      if (!Files.isReadable(path)) {
        throw HostingException.jar(
            AccessDeniedException.class,
            subject + " cannot be read; give the user that runs functions read permission");
      }
      try (ZipFile zip = new ZipFile(path.toFile())) {
        if (zip.size() == 0) {
          throw HostingException.jar(ZipException.class, subject + " is empty; build it again");
        }
      }
      return path.toUri().toURL();
    } catch (ZipException e) {
      throw HostingException.jar(
          ZipException.class,
          subject + " is not a jar: " + e.getMessage() + "; build it or copy it again");
    } catch (InvalidPathException | MalformedURLException e) {
      throw HostingException.jar(
          e.getClass(), subject + " is no path: " + e.getMessage() + "; give a file's path");
    } catch (IOException e) {
      throw HostingException.jar(
          e.getClass(), subject + " cannot be opened: " + e.getMessage() + "; check the file");
    }
  }
}
