package io.pilotlight.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * A system call that the resident routine makes in a clone.
 *
 * @param name the call's name, for messages
 * @param detail what it is for, for messages
 * @param number its number
 * @param arguments up to six
 * @param ignoreErrors whether the clone can live without it
 * @param keepsResult whether its result is kept, for the {@link Kept} arguments of later operations
 */
record Operation(
    String name,
    String detail,
    int number,
    List<Argument> arguments,
    boolean ignoreErrors,
    boolean keepsResult) {
  /** Size of an operation as the routine reads it. */
  static final int BYTES = 64;

  private static final int IGNORE_ERRORS = 0x100;
  private static final int ARGUMENTS_OFFSET = 8;

  /** Where an operation says to what address its result goes. */
  static final int STORE_OFFSET = 0x38;

  Operation {
    arguments = List.copyOf(arguments);
  }

  /** One that must succeed. */
  static Operation of(String name, String detail, int number, Argument... arguments) {
    return new Operation(name, detail, number, Arrays.asList(arguments), false, false);
  }

  /** The same, but its failure is ignored. */
  Operation orIgnore() {
    return new Operation(name, detail, number, arguments, true, keepsResult);
  }

  /** The same, but its result is kept. */
  Operation keepingResult() {
    return new Operation(name, detail, number, arguments, ignoreErrors, true);
  }

  /** What a system call is given. */
  sealed interface Argument {
    /** At most how many bytes it takes beside the operations. */
    default int dataBytes() {
      return 0;
    }
  }

  /** A number or an address that is known when the routine is installed. */
  record Value(long value) implements Argument {}

  /** A C string, which is laid out beside the operations. */
  record Text(String text) implements Argument {
    @Override
    public int dataBytes() {
      return text.getBytes(StandardCharsets.UTF_8).length + 1 + Long.BYTES;
    }
  }

  /** Raw bytes, laid out beside the operations. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Bytes(byte[] bytes) implements Argument {
    @Override
    public int dataBytes() {
      return bytes.length + Long.BYTES;
    }
  }

  /**
   * Raw bytes that hold the address of others; both are laid out beside the operations.
   *
   * @param addressOffset where in {@code bytes} the address of {@code pointed} is put
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Structure(byte[] bytes, int addressOffset, byte[] pointed) implements Argument {
    @Override
    public int dataBytes() {
      return bytes.length + pointed.length + 2 * Long.BYTES;
    }
  }

  /** A descriptor that came with the request: the first, second, ... */
  record Received(int index) implements Argument {}

  /** The descriptor of the connection to the daemon. */
  record Connection() implements Argument {}

  /**
   * A descriptor that an earlier operation made: the last result that was kept, or, with index 1,
   * the second descriptor of a {@link KeptPair}.
   */
  record Kept(int index) implements Argument {
    /** The last result that was kept. */
    Kept() {
      this(0);
    }
  }

  /** The address at which a call like pipe2(2) stores two descriptors. */
  record KeptPair() implements Argument {}

  static Argument value(long value) {
    return new Value(value);
  }

  /** Writes operations and, behind them, what they point at. */
  static final class Writer {
    private final ByteBuffer image;
    private final long base;
    private final int origin;
    private int data;

    /**
     * Into an image.
     *
     * @param image what will be in the process from {@code base} on
     * @param data where strings may be put, in the image
     */
    Writer(ByteBuffer image, long base, int data) {
      this(image, base, 0, data);
    }

    /**
     * Into a part of an image.
     *
     * @param part what will be in the process from {@code base + origin} on
     * @param base address of the whole
     * @param data where strings may be put, in the part
     */
    Writer(ByteBuffer part, long base, int origin, int data) {
      this.image = part;
      this.base = base;
      this.origin = origin;
      this.data = data;
    }

    /** First free byte behind the strings. */
    int end() {
      return data;
    }

    /** Writes them one behind the other from {@code offset} on. */
    void write(List<Operation> operations, int offset) {
      for (int i = 0; i < operations.size(); i++) {
        write(operations.get(i), offset + i * BYTES);
      }
    }

    /** Writes one. */
    void write(Operation operation, int offset) {
      int flags = operation.ignoreErrors() ? IGNORE_ERRORS : 0;
      List<Argument> arguments = operation.arguments();
      for (int i = 0; i < arguments.size(); i++) {
        Argument argument = arguments.get(i);
        boolean indirect =
            argument instanceof Received
                || argument instanceof Connection
                || argument instanceof Kept;
        flags |= indirect ? 1 << i : 0;
        image.putLong(offset + ARGUMENTS_OFFSET + i * Long.BYTES, number(argument));
      }
      image.putInt(offset, operation.number()).putInt(offset + 4, flags);
      image.putLong(
          offset + STORE_OFFSET, operation.keepsResult() ? base + ResidentLayout.KEPT : 0);
    }

    /** An argument of the operation that lies at the image's begin. */
    static long argument(ByteBuffer image, int index) {
      return image.getLong(ARGUMENTS_OFFSET + index * Long.BYTES);
    }

    private long number(Argument argument) {
      if (argument instanceof Value value) {
        return value.value();
      } else if (argument instanceof Text text) {
        return put((text.text() + "\0").getBytes(StandardCharsets.UTF_8));
      } else if (argument instanceof Bytes bytes) {
        return put(bytes.bytes());
      } else if (argument instanceof Structure structure) {
        long pointed = put(structure.pointed());
        byte[] bytes = structure.bytes().clone();
        ByteBuffer.wrap(bytes)
            .order(ByteOrder.nativeOrder())
            .putLong(structure.addressOffset(), pointed);
        return put(bytes);
      } else if (argument instanceof Received received) {
        return base + ResidentLayout.RECEIVED + (long) Integer.BYTES * received.index();
      }
      if (argument instanceof Connection) {
        return base + ResidentLayout.CONNECTION;
      }
      int index = argument instanceof Kept kept ? kept.index() : 0;
      return base + ResidentLayout.KEPT + (long) Integer.BYTES * index;
    }

    private long put(byte[] bytes) {
      int at = (data + 7) / 8 * 8;
      image.put(at, bytes);
      data = at + bytes.length;
      return base + origin + at;
    }
  }
}
