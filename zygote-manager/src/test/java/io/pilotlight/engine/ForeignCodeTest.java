package io.pilotlight.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.linux.Platform;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.ProcFs.Mapping;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ForeignCodeTest {
  private static final List<Mapping> JVM =
      List.of(
          mapping("r-xp", "/opt/jdk/bin/java"),
          mapping("r-xp", "/opt/jdk/lib/server/libjvm.so"),
          mapping("r-xp", "/opt/jdk/lib/libzip.so"),
          mapping("r-xp", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30"),
          mapping("r-xp", "/usr/lib/x86_64-linux-gnu/libc.so.6"),
          mapping("r-xp", "/usr/lib/x86_64-linux-gnu/libnss_systemd.so.2"),
          mapping("r-xp", "/usr/lib/x86_64-linux-gnu/libcap.so.2.66"),
          mapping("r--s", "/srv/function.jar"));

  private static Mapping mapping(String permissions, String path) {
    return new Mapping(0, 4096, permissions, 0, 1, path);
  }

  private static List<Mapping> jvmWith(Mapping more) {
    List<Mapping> all = new ArrayList<>(JVM);
    all.add(more);
    return all;
  }

  private static Optional<String> find(List<Mapping> mappings) {
    return ForeignCode.find(mappings, file -> file.endsWith("pages"));
  }

  @Test
  void whatIsMappedFromAnImageIsNoLibrary() {
    assertThat(find(jvmWith(mapping("r-xp", "/data/images/z-1/pages")))).isEmpty();
  }

  @Test
  void aPlainJvmHasNone() throws Exception {
    assertThat(find(JVM)).isEmpty();
    assertThat(find(jvmWith(new Mapping(0, 1, "rwxp", 0, 0, "")))).isEmpty();
  }

  @Test
  void anAllocatorIsFound() {
    String jemalloc = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2";
    assertThat(find(jvmWith(mapping("r-xp", jemalloc)))).contains(jemalloc);
    assertThat(find(jvmWith(mapping("r--p", jemalloc)))).isEmpty();
  }

  @Test
  void theLibraryOfThisVeryTestIsFound() throws Exception {
    // JNA unpacks its own library into a temporary file.
    assertThat(Platform.current().glibc()).isNotEmpty();
    int self = (int) ProcessHandle.current().pid();
    assertThat(find(ProcFs.mappings(self))).isPresent();
  }
}
