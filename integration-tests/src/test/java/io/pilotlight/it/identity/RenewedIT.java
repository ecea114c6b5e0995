package io.pilotlight.it.identity;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.it.support.TestFunction;
import io.pilotlight.it.support.TestJvm;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.LocalZygoteHost;
import io.pilotlight.zygote.Reply;
import io.pilotlight.zygote.Warmup;
import io.pilotlight.zygote.Zygote;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The first values that clones of one zygote draw. {@code -Dclones=20000} for more than the few
 * that show each defect.
 */
final class RenewedIT {
  private static final int CLONES = Integer.getInteger("clones", 200);
  private static final int CLONES_UNRENEWED = 8;
  private static final Duration CALL = Duration.ofSeconds(60);
  private static final byte[] PAYLOAD = "\"draw\"".getBytes(StandardCharsets.UTF_8);

  /** What is drawn on every JDK; some have more. */
  private static final Set<String> OF_EVERY_JDK =
      Set.of(
          "UUID",
          "TLS",
          "SecureRandom NativePRNG",
          "SecureRandom NativePRNGNonBlocking",
          "SecureRandom NativePRNGBlocking",
          "SecureRandom SHA1PRNG",
          "SecureRandom seededSha1",
          "SecureRandom Hash_DRBG",
          "SecureRandom HMAC_DRBG",
          "SecureRandom CTR_DRBG",
          "new SHA1PRNG",
          "Math",
          "StrictMath",
          "ThreadLocalRandom",
          "ThreadLocalRandom of another thread",
          "new SplittableRandom");

  private static final Set<String> OF_THE_PROCESS = Set.of("pid", "alive", "management", "name");

  @TempDir Path directory;

  @Test
  void noTwoClonesDrawTheSame() throws Exception {
    try (LocalZygoteHost host = host();
        Zygote zygote = build(host, List.of())) {
      assertThat(zygote.warnings())
          .satisfiesExactlyInAnyOrder(
              warning -> assertThat(warning).contains("Drawing.RANDOM", "java.util.Random"),
              warning -> assertThat(warning).contains("Field ", "Drawing.generator", "Random"),
              warning -> assertThat(warning).contains("Drawing.IDENTIFIER", "UUID"),
              warning -> assertThat(warning).contains("Drawing.SPLITTABLE", "SplittableRandom"));
      Drawn drawn = draw(zygote, CLONES, true);
      assertThat(drawn.kinds()).containsAll(OF_EVERY_JDK);
      assertThat(drawn.repeated()).isEmpty();
    }
  }

  /** That the test above would see a repetition, of each kind. */
  @Test
  void withoutRenewalTheyDo() throws Exception {
    try (LocalZygoteHost host = host();
        Zygote zygote = build(host, List.of("-Dpilotlight.renew=off"))) {
      assertThat(draw(zygote, CLONES_UNRENEWED, false).repeated()).containsAll(OF_EVERY_JDK);
    }
  }

  private LocalZygoteHost host() throws Exception {
    return new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE);
  }

  private Zygote build(LocalZygoteHost host, List<String> jvmArguments) throws Exception {
    List<String> arguments = new ArrayList<>(jvmArguments);
    arguments.add("--add-opens=java.base/sun.security.provider=ALL-UNNAMED");
    FunctionSpec spec = TestFunction.of(directory, Drawing.class, arguments);
    Warmup warmup = new Warmup(List.of(PAYLOAD), 20, Duration.ofSeconds(30), CALL);
    return host.build(spec, warmup, CALL, (stage, done, total) -> {});
  }

  private static Drawn draw(Zygote zygote, int clones, boolean renewed) throws Exception {
    Drawn drawn = new Drawn();
    for (int i = 0; i < clones; i++) {
      try (FunctionJvm clone = zygote.fork()) {
        Reply reply = clone.invoke(new Invocation("draw", Map.of(), PAYLOAD), CALL);
        assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
        Map<String, String> values =
            new ObjectMapper()
                .readValue(
                    ((Reply.Success) reply).payload(), new TypeReference<Map<String, String>>() {});
        if (renewed) {
          String pid = Long.toString(clone.pid());
          assertThat(values)
              .containsEntry("pid", pid)
              .containsEntry("management", pid)
              .containsEntry("alive", "true");
          assertThat(values.get("name")).startsWith(pid + "@");
          assertThat(clone.outputTail(4000)).isEmpty();
        }
        drawn.add(values);
      }
    }
    return drawn;
  }

  /** All that the clones so far have drawn. */
  private static final class Drawn {
    private final Map<String, Set<String>> seen = new HashMap<>();
    private final Set<String> repeated = new TreeSet<>();

    void add(Map<String, String> values) {
      values.forEach(
          (kind, value) -> {
            if (!OF_THE_PROCESS.contains(kind)
                && !seen.computeIfAbsent(kind, key -> new HashSet<>()).add(value)) {
              repeated.add(kind);
            }
          });
    }

    Set<String> kinds() {
      return seen.keySet();
    }

    /** The kinds of which two clones had the same value. */
    Set<String> repeated() {
      return repeated;
    }
  }
}
