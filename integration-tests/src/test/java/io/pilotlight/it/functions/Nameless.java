package io.pilotlight.it.functions;

import com.sun.jna.Callback;
import com.sun.jna.Function;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A function that uses what has no name any more when it is frozen: JNA's native library, which JNA
 * removes as soon as it is loaded; code in a file of memfd_create(2); a file that is mapped, and
 * one that is open, which have been removed. And what is to be empty in a child, see madvise(2),
 * MADV_WIPEONFORK.
 */
public final class Nameless implements java.util.function.Function<String, String> {
  private static final long MMAP = 9;
  private static final long MADVISE = 28;
  private static final long MEMFD_CREATE = 319;
  private static final int PAGE = 4096;
  private static final int PAGES = 100;
  private static final int PROT_READ_EXEC = 5;
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE = 2;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MADV_WIPEONFORK = 18;

  /** mov $42, %eax; ret. */
  private static final byte[] CODE = {(byte) 0xb8, 42, 0, 0, 0, (byte) 0xc3};

  private final C library = Native.load("c", C.class);
  private final Function code;
  private final Pointer empty;
  private final Pointer wiped;
  private final MappedByteBuffer mapped;
  private final RandomAccessFile written;
  private final FileChannel read;
  private int calls;

  /** The C library. */
  public interface C extends Library {
    /** See qsort(3). */
    void qsort(Pointer base, NativeLong count, NativeLong width, Comparison comparison);
  }

  /** Compares two numbers for qsort(3). */
  public interface Comparison extends Callback {
    /** Does it. */
    int compare(Pointer one, Pointer other);
  }

  /** Makes all of it. */
  public Nameless() throws IOException {
    long file = call(MEMFD_CREATE, "code", 0, 0, 0, 0, 0);
    Path path = Path.of("/proc/self/fd/" + file);
    Files.write(path, CODE);
    long at = call(MMAP, 0L, PAGE, PROT_READ_EXEC, MAP_PRIVATE, file, 0L);
    code = Function.getFunction(new Pointer(at));
    try (RandomAccessFile zero = new RandomAccessFile("/dev/zero", "rw")) {
      empty = new Pointer(map(zero, PAGES * PAGE));
    }
    empty.setInt(PAGE, 5);
    long area = call(MMAP, 0L, PAGE, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
    call(MADVISE, area, PAGE, MADV_WIPEONFORK, 0, 0, 0);
    wiped = new Pointer(area);
    wiped.setInt(0, 7);
    Path removed = Files.createTempFile("mapped", null);
    byte[] pages = new byte[PAGES * PAGE];
    pages[0] = 1;
    pages[pages.length - 1] = 2;
    Files.write(removed, pages);
    try (FileChannel channel =
        FileChannel.open(removed, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      mapped = channel.map(FileChannel.MapMode.PRIVATE, 0, pages.length);
      mapped.put(PAGE, (byte) 3);
    }
    Files.delete(removed);
    Path open = Files.createTempFile("open", null);
    written = new RandomAccessFile(open.toFile(), "rw");
    read = FileChannel.open(open, StandardOpenOption.READ);
    written.writeBytes("zygote ");
    read.position(1);
    Files.delete(open);
  }

  private static long map(RandomAccessFile file, int bytes) throws IOException {
    int descriptor = descriptor(file);
    return call(MMAP, 0L, bytes, PROT_READ_WRITE, MAP_PRIVATE, descriptor, 0L);
  }

  private static int descriptor(RandomAccessFile file) throws IOException {
    for (int number = 0; number < 1024; number++) {
      Path link = Path.of("/proc/self/fd/" + number);
      if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).endsWith("zero")) {
        return number;
      }
    }
    throw new IOException(file + " is not open");
  }

  private static long call(long number, Object... arguments) {
    Object[] all = new Object[arguments.length + 1];
    all[0] = new NativeLong(number);
    for (int i = 0; i < arguments.length; i++) {
      all[i + 1] = arguments[i] instanceof Integer value ? value.longValue() : arguments[i];
    }
    long result = Function.getFunction("c", "syscall").invokeLong(all);
    if (result < 0) {
      throw new IllegalStateException("call " + number + ": errno " + Native.getLastError());
    }
    return result;
  }

  /** Returns what all of it gives. */
  @Override
  public String apply(String input) {
    try {
      calls++;
      written.writeBytes(input);
      ByteBuffer all = ByteBuffer.allocate(64);
      read.read(all, 0);
      String text = new String(all.array(), 0, all.position(), StandardCharsets.UTF_8);
      mapped.put(2 * PAGE, (byte) (mapped.get(2 * PAGE) + 1));
      return String.join(
          ",",
          Integer.toString(calls),
          Integer.toString(code.invokeInt(new Object[0])),
          sorted(),
          mapped.get(0) + "-" + mapped.get(PAGE) + "-" + mapped.get(2 * PAGE),
          Byte.toString(mapped.get(PAGES * PAGE - 1)),
          Integer.toString(empty.getInt(PAGE) + empty.getInt(2 * PAGE)),
          Integer.toString(wiped.getInt(0)),
          text,
          Long.toString(read.position()));
    } catch (IOException e) {
      throw new IllegalStateException(e.toString(), e);
    }
  }

  private String sorted() {
    Memory numbers = new Memory(12);
    numbers.write(0, new int[] {3, 1, 2}, 0, 3);
    library.qsort(
        numbers,
        new NativeLong(3),
        new NativeLong(4),
        (one, other) -> Integer.compare(one.getInt(0), other.getInt(0)));
    return numbers.getInt(0) + "" + numbers.getInt(4) + numbers.getInt(8);
  }
}
