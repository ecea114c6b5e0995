package io.pilotlight.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.engine.Operation.Connection;
import io.pilotlight.engine.Operation.Kept;
import io.pilotlight.engine.Operation.Received;
import io.pilotlight.engine.Operation.Text;
import io.pilotlight.engine.Operation.Value;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

final class OperationTest {
  private static final long BASE = 0x7f00_0000_0000L;
  private static final int STRINGS = 512;
  private final ByteBuffer image = ByteBuffer.allocate(1024).order(ByteOrder.nativeOrder());
  private final Operation.Writer writer = new Operation.Writer(image, BASE, STRINGS);

  @Test
  void plainNumbersAreWrittenAsTheyAre() {
    writer.write(Operation.of("lseek", "", 8, new Value(7), new Value(-1), new Value(0)), 64);

    assertThat(image.getInt(64)).isEqualTo(8);
    assertThat(image.getInt(68)).isZero();
    assertThat(image.getLong(72)).isEqualTo(7);
    assertThat(image.getLong(80)).isEqualTo(-1);
    assertThat(image.getLong(64 + 0x38)).as("result is not kept").isZero();
  }

  @Test
  void descriptorsThatAreKnownLaterAreReadFromMemory() {
    writer.write(Operation.of("dup3", "", 292, new Received(1), new Value(3), new Connection()), 0);

    assertThat(image.getInt(4)).as("first and third argument").isEqualTo(0b101);
    assertThat(image.getLong(8)).isEqualTo(BASE + ResidentLayout.RECEIVED + 4);
    assertThat(image.getLong(24)).isEqualTo(BASE + ResidentLayout.CONNECTION);
  }

  @Test
  void stringsLieBehindAndResultsAreKeptWhereAsked() {
    writer.write(
        List.of(
            Operation.of("open", "", 2, new Text("/a"), new Value(0)).keepingResult(),
            Operation.of("close", "", 3, new Kept()).orIgnore()),
        0);

    assertThat(image.getLong(8)).isEqualTo(BASE + STRINGS);
    byte[] text = new byte[3];
    image.get(STRINGS, text);
    assertThat(text).containsExactly('/', 'a', 0);
    assertThat(image.getLong(0x38)).isEqualTo(BASE + ResidentLayout.KEPT);
    assertThat(image.getInt(64 + 4)).as("ignores errors, first argument").isEqualTo(0x101);
    assertThat(image.getLong(64 + 8)).isEqualTo(BASE + ResidentLayout.KEPT);
    assertThat(writer.end()).isEqualTo(STRINGS + 3);
  }
}
