package io.pilotlight.agent.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TimeZone;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DefaultTimeZoneTest {
  private static final String PROPERTY = "user.timezone";

  @TempDir Path directory;
  private final Entropy none = new Entropy(new ByteArrayInputStream(new byte[0]));
  private final TimeZone before = TimeZone.getDefault();
  private String propertyBefore;
  private Path file;

  @BeforeEach
  void theJdkHasReadTroll() throws Exception {
    propertyBefore = System.getProperty(PROPERTY);
    file = directory.resolve("localtime");
    Files.createSymbolicLink(file, Path.of("/usr/share/zoneinfo/Antarctica/Troll"));
    System.setProperty(PROPERTY, "Antarctica/Troll");
    TimeZone.setDefault(TimeZone.getTimeZone("Antarctica/Troll"));
  }

  @AfterEach
  void asItWas() {
    if (propertyBefore == null) {
      System.clearProperty(PROPERTY);
    } else {
      System.setProperty(PROPERTY, propertyBefore);
    }
    TimeZone.setDefault(before);
  }

  private void change() throws Exception {
    Path next = directory.resolve("next");
    Files.createSymbolicLink(next, Path.of("/usr/share/zoneinfo/Europe/Oslo"));
    Files.move(next, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void aZoneThatWasNotChangedIsKept() {
    new DefaultTimeZone(file).renew(none);
    assertThat(TimeZone.getDefault().getID()).isEqualTo("Antarctica/Troll");
  }

  @Test
  void aMachineThatWasMovedIsAskedAgain() throws Exception {
    DefaultTimeZone renewer = new DefaultTimeZone(file);
    change();
    renewer.renew(none);
    // This machine's: what the JDK reads is not to be changed by a test.
    String machine = TimeZone.getDefault().getID();
    assertThat(machine).isEqualTo(System.getProperty(PROPERTY)).isNotEqualTo("Antarctica/Troll");
  }

  @Test
  void aZoneThatTheFunctionHasSetIsKept() throws Exception {
    DefaultTimeZone renewer = new DefaultTimeZone(file);
    TimeZone.setDefault(TimeZone.getTimeZone("America/Lima"));
    change();
    renewer.renew(none);
    assertThat(TimeZone.getDefault().getID()).isEqualTo("America/Lima");
  }

  @Test
  void aMachineWithoutTheFileIsLeftAlone() {
    new DefaultTimeZone(directory.resolve("missing")).renew(none);
    assertThat(TimeZone.getDefault().getID()).isEqualTo("Antarctica/Troll");
  }

  @Test
  void aZoneInTheCommandLineIsChosen() {
    assertThat(DefaultTimeZone.isChosen()).isTrue();
  }
}
