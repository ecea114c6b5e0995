package io.pilotlight.agent.wire;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Frames as bytes: a header of {@value #HEADER_BYTES} bytes (body length as a big-endian 32-bit
 * integer, then the type) and the body. In a body a string or byte array is a 32-bit length and its
 * (UTF-8) bytes, a list a 32-bit count and its elements, numbers are big-endian.
 *
 * <p>Stateless; safe for use by any thread.
 */
public final class FrameCodec {
  /** Size of a frame's header. */
  public static final int HEADER_BYTES = 5;

  /** The largest body either side accepts; leaves room around the largest payload. */
  public static final int MAX_BODY_BYTES = 32 << 20;

  /** The type byte of {@link Frame.Invoke}, whose payload a reader may want where it stays. */
  public static final byte INVOKE_TYPE = 4;

  /** What precedes the payload of an encoded {@link Frame.Result}. */
  public static final int RESULT_PREFIX_BYTES =
      HEADER_BYTES + Long.BYTES + Long.BYTES + Integer.BYTES + Integer.BYTES;

  /** The type byte of {@link Frame.StepFailed}, which the resident routine writes. */
  public static final byte STEP_FAILED_TYPE = 11;

  private static final byte RESULT_TYPE = 5;

  private FrameCodec() {}

  /** The whole frame, header and body. */
  public static ByteBuffer encode(Frame frame) {
    Writer out = new Writer(sizeHint(frame));
    byte type = write(frame, out);
    return out.finish(type);
  }

  /**
   * Reads the body's length from a header.
   *
   * @throws WireException if it is negative or beyond {@link #MAX_BODY_BYTES}
   */
  public static int bodyLength(ByteBuffer header) throws WireException {
    int length = header.getInt(header.position());
    if (length < 0 || length > MAX_BODY_BYTES) {
      throw new WireException(
          "frame body of "
              + length
              + " bytes announced; between 0 and "
              + MAX_BODY_BYTES
              + " is allowed");
    }
    return length;
  }

  /**
   * Reads the body of a frame.
   *
   * @param type the header's type byte
   * @param body exactly the body
   * @throws WireException if it is not a frame of that type
   */
  public static Frame decode(byte type, ByteBuffer body) throws WireException {
    try {
      Frame frame = read(type, new Reader(body));
      if (body.hasRemaining()) {
        throw new WireException(
            frame.name() + " frame has " + body.remaining() + " bytes too many");
      }
      return frame;
    } catch (BufferUnderflowException e) {
      throw new WireException("frame of type " + type + " ends early");
    }
  }

  /**
   * Reads an {@link Frame.Invoke} up to its payload, so that a large one can be read from the
   * channel into its place instead of being copied there.
   *
   * @param head the beginning of the body; left just after what was read
   * @param bodyLength length of the whole body
   * @return the frame with a payload of the right length and all zero; null, with {@code head}
   *     where it was, if {@code head} ends before the payload begins
   * @throws WireException if it cannot become an {@link Frame.Invoke}
   */
  public static Frame.@Nullable Invoke decodeInvokeHead(ByteBuffer head, int bodyLength)
      throws WireException {
    int start = head.position();
    try {
      Reader in = new Reader(head, bodyLength);
      String requestId = in.string();
      long deadlineEpochMillis = in.int64();
      Map<String, String> attributes = in.map();
      int payloadLength = head.getInt();
      int left = bodyLength - (head.position() - start);
      if (payloadLength != left) {
        throw new WireException("payload of " + payloadLength + " bytes with " + left + " left");
      }
      return new Frame.Invoke(requestId, deadlineEpochMillis, attributes, new byte[payloadLength]);
    } catch (BufferUnderflowException e) {
      head.position(start);
      return null;
    }
  }

  /**
   * Makes a {@link Frame.Result} of a payload that is already in place.
   *
   * @param frame the payload from {@link #RESULT_PREFIX_BYTES} on; what is before is written here
   */
  public static void putResultPrefix(
      byte[] frame, long enteredNanos, long finishedNanos, boolean hooks, int payloadLength) {
    ByteBuffer.wrap(frame)
        .putInt(RESULT_PREFIX_BYTES - HEADER_BYTES + payloadLength)
        .put(RESULT_TYPE)
        .putLong(enteredNanos)
        .putLong(finishedNanos)
        .putInt(hooks ? 1 : 0)
        .putInt(payloadLength);
  }

  private static int sizeHint(Frame frame) {
    if (frame instanceof Frame.Invoke invoke) {
      return 256 + invoke.payload().length;
    }
    return frame instanceof Frame.Result result ? 64 + result.payload().length : 512;
  }

  private static byte write(Frame frame, Writer out) {
    if (frame instanceof Frame.Init f) {
      out.string(f.function()).string(f.version()).string(f.handler());
      out.strings(f.jars()).strings(f.layers()).int32(f.memoryMib()).flag(f.zygote());
      return 1;
    } else if (frame instanceof Frame.Ready f) {
      out.string(f.handlerKind()).int64(f.initNanos());
      return 2;
    } else if (frame instanceof Frame.Failed f) {
      out.string(f.phase().name()).failure(f.failure());
      return 3;
    } else if (frame instanceof Frame.Invoke f) {
      out.string(f.requestId())
          .int64(f.deadlineEpochMillis())
          .map(f.attributes())
          .bytes(f.payload());
      return INVOKE_TYPE;
    } else if (frame instanceof Frame.Result f) {
      out.int64(f.enteredNanos()).int64(f.finishedNanos()).flag(f.hooks()).bytes(f.payload());
      return RESULT_TYPE;
    } else if (frame instanceof Frame.Fault f) {
      out.string(f.kind().name())
          .int64(f.enteredNanos())
          .int64(f.finishedNanos())
          .flag(f.hooks())
          .failure(f.failure());
      return 6;
    } else if (frame instanceof Frame.Quiesce) {
      return 7;
    } else if (frame instanceof Frame.Quiesced f) {
      out.strings(f.notes());
      return 8;
    } else if (frame instanceof Frame.Renew f) {
      out.string(f.cloneId());
      return 9;
    } else if (frame instanceof Frame.Stop) {
      return 10;
    } else if (frame instanceof Frame.AwaitCompilers) {
      return 12;
    } else if (frame instanceof Frame.CompilersIdle f) {
      out.int32(f.latest());
      return 13;
    } else if (frame instanceof Frame.Secrets f) {
      out.map(f.values());
      return 14;
    } else if (frame instanceof Frame.TellOpenings) {
      return 15;
    } else if (frame instanceof Frame.Openings f) {
      out.map(f.stacks());
      return 16;
    } else if (frame instanceof Frame.Checkpoint) {
      return 17;
    } else if (frame instanceof Frame.Checkpointed f) {
      out.strings(f.notes());
      return 18;
    } else if (frame instanceof Frame.CheckpointRequested) {
      return 19;
    } else if (frame instanceof Frame.Resumed f) {
      out.flag(f.restored()).map(f.environment()).map(f.properties()).strings(f.arguments());
      return 20;
    }
    Frame.StepFailed f = (Frame.StepFailed) frame;
    out.int32(f.step()).int32(f.errno());
    return STEP_FAILED_TYPE;
  }

  private static Frame read(byte type, Reader in) throws WireException {
    return switch (type) {
      case 1 ->
          new Frame.Init(
              in.string(),
              in.string(),
              in.string(),
              in.strings(),
              in.strings(),
              in.int32(),
              in.flag());
      case 2 -> new Frame.Ready(in.string(), in.int64());
      case 3 -> new Frame.Failed(in.constant(Frame.Phase.class), in.failure(0));
      case INVOKE_TYPE -> new Frame.Invoke(in.string(), in.int64(), in.map(), in.bytes());
      case RESULT_TYPE -> new Frame.Result(in.int64(), in.int64(), in.flag(), in.bytes());
      case 6 ->
          new Frame.Fault(
              in.constant(Frame.FaultKind.class), in.int64(), in.int64(), in.flag(), in.failure(0));
      case 7 -> new Frame.Quiesce();
      case 8 -> new Frame.Quiesced(in.strings());
      case 9 -> new Frame.Renew(in.string());
      case 10 -> new Frame.Stop();
      case STEP_FAILED_TYPE -> new Frame.StepFailed(in.int32(), in.int32());
      case 12 -> new Frame.AwaitCompilers();
      case 13 -> new Frame.CompilersIdle(in.int32());
      case 14 -> new Frame.Secrets(in.map());
      case 15 -> new Frame.TellOpenings();
      case 16 -> new Frame.Openings(in.map());
      case 17 -> new Frame.Checkpoint();
      case 18 -> new Frame.Checkpointed(in.strings());
      case 19 -> new Frame.CheckpointRequested();
      case 20 -> new Frame.Resumed(in.flag(), in.map(), in.map(), in.strings());
      default -> throw new WireException("frame of unknown type " + type);
    };
  }

  /** Appends to a growing buffer that keeps room for the header. */
  private static final class Writer {
    private ByteBuffer buffer;

    Writer(int hint) {
      buffer = ByteBuffer.allocate(HEADER_BYTES + hint);
      buffer.position(HEADER_BYTES);
    }

    private ByteBuffer room(int bytes) {
      if (buffer.remaining() < bytes) {
        int size = Math.addExact(buffer.position(), Math.max(bytes, buffer.capacity()));
        buffer = ByteBuffer.allocate(size).put(buffer.flip());
      }
      return buffer;
    }

    Writer int32(int value) {
      room(Integer.BYTES).putInt(value);
      return this;
    }

    Writer int64(long value) {
      room(Long.BYTES).putLong(value);
      return this;
    }

    Writer bytes(byte[] value) {
      int32(value.length);
      room(value.length).put(value);
      return this;
    }

    Writer string(String value) {
      return bytes(value.getBytes(StandardCharsets.UTF_8));
    }

    Writer strings(List<String> values) {
      int32(values.size());
      values.forEach(this::string);
      return this;
    }

    Writer map(Map<String, String> values) {
      int32(values.size());
      values.forEach((key, value) -> string(key).string(value));
      return this;
    }

    Writer flag(boolean value) {
      return int32(value ? 1 : 0);
    }

    Writer optional(@Nullable String value) {
      flag(value != null);
      return value == null ? this : string(value);
    }

    Writer failure(Failure failure) {
      string(failure.type()).optional(failure.message()).strings(failure.stackTrace());
      Failure cause = failure.cause();
      flag(cause != null);
      return cause == null ? this : failure(cause);
    }

    ByteBuffer finish(byte type) {
      int body = buffer.position() - HEADER_BYTES;
      return buffer.putInt(0, body).put(Integer.BYTES, type).flip();
    }
  }

  /** Reads a body, trusting none of its lengths. */
  private static final class Reader {
    private static final int MAX_FAILURE_DEPTH = 64;
    private final ByteBuffer body;
    private final int end;

    Reader(ByteBuffer body) {
      this(body, body.remaining());
    }

    /** For a body of which {@code body} may hold only the beginning. */
    Reader(ByteBuffer body, int length) {
      this.body = body;
      this.end = body.position() + length;
    }

    int int32() {
      return body.getInt();
    }

    long int64() {
      return body.getLong();
    }

    /** A length or count; no element is smaller than a byte, so none can exceed what is left. */
    private int count() throws WireException {
      int count = body.getInt();
      int left = end - body.position();
      if (count < 0 || count > left) {
        throw new WireException("length " + count + " with " + left + " bytes left");
      }
      return count;
    }

    byte[] bytes() throws WireException {
      byte[] value = new byte[count()];
      body.get(value);
      return value;
    }

    String string() throws WireException {
      int length = count();
      if (length > body.remaining()) {
        throw new BufferUnderflowException();
      }
      if (body.hasArray()) {
        // The common case, and the one with the least to run and to allocate in a clone.
        int position = body.position();
        body.position(position + length);
        return new String(
            body.array(), body.arrayOffset() + position, length, StandardCharsets.UTF_8);
      }
      byte[] value = new byte[length];
      body.get(value);
      return new String(value, StandardCharsets.UTF_8);
    }

    List<String> strings() throws WireException {
      int count = count();
      List<String> values = new ArrayList<>(Math.min(count, 64));
      for (int i = 0; i < count; i++) {
        values.add(string());
      }
      return values;
    }

    Map<String, String> map() throws WireException {
      int count = count();
      Map<String, String> values = new LinkedHashMap<>();
      for (int i = 0; i < count; i++) {
        values.put(string(), string());
      }
      return values;
    }

    <E extends Enum<E>> E constant(Class<E> type) throws WireException {
      String name = string();
      try {
        return Enum.valueOf(type, name);
      } catch (IllegalArgumentException e) {
        throw new WireException("'" + name + "' is no " + type.getSimpleName());
      }
    }

    boolean flag() throws WireException {
      int value = body.getInt();
      if (value != 0 && value != 1) {
        throw new WireException("flag " + value);
      }
      return value == 1;
    }

    Failure failure(int depth) throws WireException {
      if (depth > MAX_FAILURE_DEPTH) {
        throw new WireException("more than " + MAX_FAILURE_DEPTH + " nested causes");
      }
      String type = string();
      String message = flag() ? string() : null;
      List<String> trace = strings();
      return new Failure(type, message, trace, flag() ? failure(depth + 1) : null);
    }
  }
}
