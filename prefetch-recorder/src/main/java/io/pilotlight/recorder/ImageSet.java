package io.pilotlight.recorder;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * What first calls in clones of one image touch; it holds for that image for ever, since neither
 * its addresses nor its file change. Immutable.
 *
 * @param pages what they read of the file that holds the image's pages, by offset in it
 * @param recordings of how many first calls it was merged
 * @param usual what most of them touched, by address
 */
public record ImageSet(PageSet pages, int recordings, Recording usual) {
  /** Nothing was recorded. */
  public static final ImageSet NONE =
      new ImageSet(PageSet.empty(), 0, new Recording(PageSet.empty(), PageSet.empty()));

  private static final int MAGIC = 0x504c5753;
  private static final int FORMAT = 1;
  private static final int CHECKSUM_BYTES = Integer.BYTES;
  private static final int MORE = 0x80;

  /**
   * As bytes: runs, each as its distance from the one before and its length in pages, in as few
   * bytes as they take, and a checksum.
   */
  public byte[] encode() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(MAGIC);
      out.writeByte(FORMAT);
      writeNumber(out, recordings);
      for (PageSet set : new PageSet[] {pages, usual.written(), usual.file()}) {
        write(out, set);
      }
      out.writeInt(checksum(bytes.toByteArray(), bytes.size()));
    } catch (IOException e) {
      throw new IllegalStateException("bytes could not be written to memory", e);
    }
    return bytes.toByteArray();
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @throws IOException saying what is wrong with the bytes
   */
  public static ImageSet decode(byte[] bytes) throws IOException {
    int end = bytes.length - CHECKSUM_BYTES;
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      if (in.readInt() != MAGIC || in.readUnsignedByte() != FORMAT) {
        throw new IOException("it is no working set of format " + FORMAT);
      }
      DataInputStream tail =
          new DataInputStream(new ByteArrayInputStream(bytes, end, CHECKSUM_BYTES));
      if (tail.readInt() != checksum(bytes, end)) {
        throw new IOException("its checksum does not fit its content");
      }
      int recordings = Math.toIntExact(readNumber(in));
      return new ImageSet(read(in), recordings, new Recording(read(in), read(in)));
    } catch (EOFException e) {
      throw new IOException("it ends after " + bytes.length + " bytes", e);
    } catch (ArithmeticException | IllegalArgumentException e) {
      throw new IOException("it holds no set of pages: " + e.getMessage(), e);
    }
  }

  private static int checksum(byte[] bytes, int count) {
    CRC32C sum = new CRC32C();
    sum.update(bytes, 0, count);
    return (int) sum.getValue();
  }

  private static void write(DataOutputStream out, PageSet set) throws IOException {
    writeNumber(out, set.runs());
    long[] last = new long[1];
    IOException[] failure = new IOException[1];
    set.forEachRun(
        (start, end) -> {
          try {
            writeNumber(out, (start - last[0]) / PageSet.PAGE_BYTES);
            writeNumber(out, (end - start) / PageSet.PAGE_BYTES);
            last[0] = end;
          } catch (IOException e) {
            failure[0] = e;
          }
        });
    if (failure[0] != null) {
      throw failure[0];
    }
  }

  private static PageSet read(DataInputStream in) throws IOException {
    long runs = readNumber(in);
    PageSet.Builder set = new PageSet.Builder();
    long page = 0;
    for (long i = 0; i < runs; i++) {
      page = Math.addExact(page, readNumber(in));
      long end = Math.addExact(page, readNumber(in));
      set.add(
          Math.multiplyExact(page, PageSet.PAGE_BYTES),
          Math.multiplyExact(end, PageSet.PAGE_BYTES));
      page = end;
    }
    return set.build();
  }

  private static void writeNumber(DataOutputStream out, long number) throws IOException {
    long rest = number;
    while (rest >= MORE) {
      out.writeByte((int) (rest & (MORE - 1)) | MORE);
      rest >>>= 7;
    }
    out.writeByte((int) rest);
  }

  private static long readNumber(DataInputStream in) throws IOException {
    long number = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      int next = in.readUnsignedByte();
      number |= (long) (next & (MORE - 1)) << shift;
      if (next < MORE) {
        if (number < 0) {
          break;
        }
        return number;
      }
    }
    throw new IllegalArgumentException("a number is too large");
  }

  /** The same pages of the file, and what lies between two of them that are near each other. */
  public PageSet readThrough(int maxGapPages) {
    PageSet.Builder joined = new PageSet.Builder();
    long[] run = {-1, -1};
    pages.forEachRun(
        (start, end) -> {
          if (run[0] >= 0 && start - run[1] > (long) maxGapPages * PageSet.PAGE_BYTES) {
            joined.add(run[0], run[1]);
            run[0] = -1;
          }
          run[0] = run[0] < 0 ? start : run[0];
          run[1] = end;
        });
    if (run[0] >= 0) {
      joined.add(run[0], run[1]);
    }
    return joined.build();
  }

  /** Evenly spread among the pages of the file, at most {@code count}: their offsets. */
  public long[] sample(int count) {
    long all = pages.pages();
    int taken = (int) Math.min(count, all);
    long[] offsets = new long[taken];
    int[] at = new int[1];
    long[] seen = new long[1];
    pages.forEachRun(
        (start, end) -> {
          long inRun = (end - start) / PageSet.PAGE_BYTES;
          while (at[0] < taken && at[0] * all / taken < seen[0] + inRun) {
            offsets[at[0]] = start + (at[0] * all / taken - seen[0]) * PageSet.PAGE_BYTES;
            at[0]++;
          }
          seen[0] += inRun;
        });
    return Arrays.copyOf(offsets, at[0]);
  }
}
