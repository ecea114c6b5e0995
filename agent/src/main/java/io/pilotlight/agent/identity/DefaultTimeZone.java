package io.pilotlight.agent.identity;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.TimeZone;
import org.jspecify.annotations.Nullable;

/**
 * The default time zone, where that is the machine's: {@code /etc/localtime} may have been changed
 * since the zygote has read it. The JDK keeps what it has read in a field and in the system
 * property {@code user.timezone} (java/util/TimeZone.java, setDefaultZone).
 */
final class DefaultTimeZone implements Renewer {
  /** See localtime(5). */
  static final Path OF_THE_MACHINE = Path.of("/etc/localtime");

  private static final String PROPERTY = "user.timezone";
  private static final String VARIABLE = "TZ";

  private final Path file;
  private final @Nullable Stamp read;

  /** What tells one state of a file, or of a link in its place, from the next. */
  private record Stamp(@Nullable Object key, FileTime modified) {}

  DefaultTimeZone(Path file) {
    this.file = file;
    this.read = stamp();
  }

  /** Whether something else than the machine's file decides; asked before the function runs. */
  static boolean isChosen() {
    String property = System.getProperty(PROPERTY);
    return (property != null && !property.isEmpty()) || System.getenv(VARIABLE) != null;
  }

  private @Nullable Stamp stamp() {
    try {
      BasicFileAttributes attributes =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return new Stamp(attributes.fileKey(), attributes.lastModifiedTime());
    } catch (IOException e) {
      // Then it is GMT, here and in a clone.
      return null;
    }
  }

  @Override
  public String subject() {
    return "the default time zone";
  }

  @Override
  public void renew(Entropy entropy) {
    Stamp now = stamp();
    if (now == null || now.equals(read)) {
      return;
    }
    String known = System.getProperty(PROPERTY);
    // Otherwise the JDK has not read it yet, or the function has set another zone.
    if (known != null && known.equals(TimeZone.getDefault().getID())) {
      System.clearProperty(PROPERTY);
      TimeZone.setDefault(null);
    }
  }
}
