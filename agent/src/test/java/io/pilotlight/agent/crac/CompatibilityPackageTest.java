package io.pilotlight.agent.crac;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.crac.Core;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CompatibilityPackageTest {
  /** One that is missing would be found in the agent's jar by the agent, and by nobody else. */
  @Test
  void everyClassOfThePackageIsDefined() throws Exception {
    Path classes = Path.of(Core.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path folder = classes.resolve(CompatibilityPackage.NAME.replace('.', '/'));
    try (Stream<Path> files = Files.list(folder)) {
      List<String> names =
          files
              .map(file -> file.getFileName().toString().replace(".class", ""))
              .filter(name -> !name.equals("package-info"))
              .toList();
      assertThat(CompatibilityPackage.CLASSES).containsExactlyInAnyOrderElementsOf(names);
    }
  }
}
