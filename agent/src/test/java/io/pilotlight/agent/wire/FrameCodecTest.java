package io.pilotlight.agent.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameCodecTest {
  private static final Failure CAUSE = new Failure("a.Cause", null, List.of(), null);
  private static final Failure FAILURE =
      new Failure("a.Type", "why \u00e4\ud83d\ude00", List.of("line 1", "line 2"), CAUSE);

  static Stream<Frame> frames() {
    return Stream.of(
        new Frame.Init(
            "f", "$LATEST", "a.B::c", List.of("x.jar", "y.jar"), List.of("l.jar"), 512, true),
        new Frame.Init("", "", "", List.of(), List.of(), 0, false),
        new Frame.Ready("RequestHandler", Long.MAX_VALUE),
        new Frame.Failed(Frame.Phase.JARS, FAILURE),
        new Frame.Invoke("id", -1, Map.of("k", "v"), new byte[] {1, 2, 3}),
        new Frame.Invoke("", Long.MIN_VALUE, Map.of(), new byte[0]),
        new Frame.Result(1, 2, true, new byte[2000]),
        new Frame.Fault(Frame.FaultKind.OUTPUT, 3, 4, true, FAILURE),
        new Frame.AwaitCompilers(),
        new Frame.CompilersIdle(4711),
        new Frame.Quiesce(),
        new Frame.Quiesced(List.of("note")),
        new Frame.Checkpoint(),
        new Frame.Checkpointed(List.of("note")),
        new Frame.CheckpointRequested(),
        new Frame.Resumed(true, Map.of("K", "v"), Map.of("p", "q"), List.of("Main", "a")),
        new Frame.Renew("clone-1"),
        new Frame.Secrets(Map.of("KEY", "hidden")),
        new Frame.Stop(),
        new Frame.StepFailed(3, 12));
  }

  static Stream<Frame> framesWithBody() {
    return frames().filter(f -> FrameCodec.encode(f).remaining() > FrameCodec.HEADER_BYTES);
  }

  @Test
  void secretsAreNotTold() {
    assertThat(new Frame.Secrets(Map.of("KEY", "hidden"))).hasToString("Secrets[KEY]");
  }

  @ParameterizedTest
  @MethodSource("frames")
  void aFrameComesBackAsItWas(Frame frame) throws WireException {
    ByteBuffer encoded = FrameCodec.encode(frame);
    Frame decoded = FrameCodec.decode(type(encoded), body(encoded));
    assertThat(decoded).usingRecursiveComparison().isEqualTo(frame);
    assertThat(FrameCodec.encode(decoded)).isEqualTo(encoded);
    assertThat(FrameCodec.bodyLength(encoded)).isEqualTo(body(encoded).remaining());
  }

  @ParameterizedTest
  @MethodSource("frames")
  void aFrameIsReadFromAnyKindOfBuffer(Frame frame) throws WireException {
    ByteBuffer encoded = FrameCodec.encode(frame);
    ByteBuffer direct = ByteBuffer.allocateDirect(64 << 10).put(body(encoded)).flip();
    assertThat(FrameCodec.decode(type(encoded), direct))
        .usingRecursiveComparison()
        .isEqualTo(frame);
  }

  @ParameterizedTest
  @MethodSource("framesWithBody")
  void aBodyThatEndsEarlyIsRefused(Frame frame) {
    ByteBuffer encoded = FrameCodec.encode(frame);
    ByteBuffer body = body(encoded);
    for (int length = 0; length < body.remaining(); length++) {
      ByteBuffer cut = body.slice(body.position(), length);
      assertThatThrownBy(() -> FrameCodec.decode(type(encoded), cut))
          .isInstanceOf(WireException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("frames")
  void bytesTooManyAreRefused(Frame frame) {
    ByteBuffer encoded = FrameCodec.encode(frame);
    ByteBuffer longer =
        ByteBuffer.allocate(encoded.remaining() + 1).put(body(encoded)).put((byte) 0);
    assertThatThrownBy(() -> FrameCodec.decode(type(encoded), longer.flip()))
        .isInstanceOf(WireException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, Integer.MIN_VALUE, FrameCodec.MAX_BODY_BYTES + 1, Integer.MAX_VALUE})
  void anImpossibleBodyLengthIsRefused(int length) {
    ByteBuffer header = ByteBuffer.allocate(FrameCodec.HEADER_BYTES).putInt(0, length);
    assertThatThrownBy(() -> FrameCodec.bodyLength(header))
        .isInstanceOf(WireException.class)
        .hasMessageContaining(Integer.toString(length));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 5, 1 << 30, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void anImpossibleLengthInsideIsRefusedBeforeAnythingIsAllocated(int length) {
    ByteBuffer body = ByteBuffer.allocate(8).putInt(length).putInt(0).flip();
    for (byte type = 1; type <= 9; type++) {
      if (type != 2 && type != 5 && type != 7) {
        byte each = type;
        assertThatThrownBy(() -> FrameCodec.decode(each, body.duplicate()))
            .isInstanceOf(WireException.class);
      }
    }
  }

  @Test
  void unknownTypesAndConstantsAreRefused() {
    assertThatThrownBy(() -> FrameCodec.decode((byte) 0, ByteBuffer.allocate(0)))
        .isInstanceOf(WireException.class);
    ByteBuffer failed =
        ByteBuffer.allocate(8).putInt(4).put(new byte[] {'N', 'O', 'N', 'E'}).flip();
    assertThatThrownBy(() -> FrameCodec.decode((byte) 3, failed))
        .isInstanceOf(WireException.class)
        .hasMessageContaining("NONE");
  }

  @Test
  void endlessCausesAreRefused() {
    ByteBuffer body = ByteBuffer.allocate(64 << 10);
    body.putInt(7).put("HANDLER".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    body.putLong(0).putLong(0).putInt(0);
    for (int i = 0; i < 1000; i++) {
      body.putInt(0).putInt(0).putInt(0).putInt(1);
    }
    assertThatThrownBy(() -> FrameCodec.decode((byte) 6, body.flip()))
        .isInstanceOf(WireException.class)
        .hasMessageContaining("causes");
  }

  @Test
  void theHeadOfAnInvokeIsReadOnceItIsWhole() throws WireException {
    Frame.Invoke frame = new Frame.Invoke("request", 17, Map.of("key", "value"), new byte[100]);
    ByteBuffer body = body(FrameCodec.encode(frame));
    int headLength = body.remaining() - 100;
    for (int length = 0; length <= body.remaining(); length++) {
      ByteBuffer head = body.slice(body.position(), length);
      Frame.Invoke read = FrameCodec.decodeInvokeHead(head, body.remaining());
      if (length < headLength) {
        assertThat(read).isNull();
        assertThat(head.position()).isZero();
      } else {
        assertThat(read).usingRecursiveComparison().isEqualTo(frame);
        assertThat(head.position()).isEqualTo(headLength);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-100, -1, 1, 1 << 30})
  void anInvokeWhosePayloadDoesNotFitItsFrameIsRefused(int more) {
    ByteBuffer body =
        body(FrameCodec.encode(new Frame.Invoke("request", 17, Map.of(), new byte[100])));
    ByteBuffer wrong = body.slice(body.position(), 30);
    assertThatThrownBy(() -> FrameCodec.decodeInvokeHead(wrong, body.remaining() + more))
        .isInstanceOf(WireException.class);
  }

  @Test
  void aResultMadeInPlaceIsTheSameFrame() {
    byte[] payload = {9, 8, 7};
    byte[] frame = new byte[FrameCodec.RESULT_PREFIX_BYTES + payload.length];
    System.arraycopy(payload, 0, frame, FrameCodec.RESULT_PREFIX_BYTES, payload.length);
    FrameCodec.putResultPrefix(frame, 11, 12, true, payload.length);
    ByteBuffer encoded = FrameCodec.encode(new Frame.Result(11, 12, true, payload));
    assertThat(ByteBuffer.wrap(frame)).isEqualTo(encoded);
  }

  @Test
  void aFailureIsCutWhereItsCausesLoop() {
    Exception outer = new IllegalStateException("outer");
    Exception inner = new IllegalStateException("inner", outer);
    outer.initCause(inner);
    Failure failure = Failure.of(outer);
    int depth = 0;
    for (Failure f = failure; f != null; f = f.cause()) {
      depth++;
    }
    assertThat(depth).isBetween(2, 64);
  }

  private static byte type(ByteBuffer encoded) {
    return encoded.get(Integer.BYTES);
  }

  private static ByteBuffer body(ByteBuffer encoded) {
    int length = encoded.remaining() - FrameCodec.HEADER_BYTES;
    return encoded.slice(encoded.position() + FrameCodec.HEADER_BYTES, length);
  }
}
