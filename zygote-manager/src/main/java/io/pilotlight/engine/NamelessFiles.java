package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.CLOSE;
import static io.pilotlight.linux.Syscall.DUP3;
import static io.pilotlight.linux.Syscall.FTRUNCATE;
import static io.pilotlight.linux.Syscall.MEMFD_CREATE;
import static io.pilotlight.linux.Syscall.PWRITE64;
import static io.pilotlight.linux.Uapi.O_CLOEXEC;

import io.pilotlight.descriptor.OpenDescriptor;
import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Operation.Kept;
import io.pilotlight.engine.Operation.Text;
import io.pilotlight.linux.ProcFs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes a clone's own copies of regular files that its zygote has open and that nobody can open by
 * a path any more: temporary files that were removed, and those of memfd_create(2). A clone makes
 * one of memfd_create(2), writes the content into it, and opens it anew for each descriptor, with
 * that one's access, flags and offset.
 *
 * <p>The content lies in the region of the fork server, and each clone copies it when it starts; so
 * there is a limit to it. Used once, by one thread.
 */
final class NamelessFiles {
  /** So many bytes all files of a process may have together. */
  static final int MAX_BYTES = 4 << 20;

  private static final int MFD_CLOEXEC = 1;
  private static final int MFD_ALLOW_SEALING = 2;

  /** In characters, of which each takes up to three bytes; the kernel takes 249 bytes. */
  private static final int MAX_NAME = 80;

  private static final String MEMFD = "memfd:";

  /** O_RDONLY, O_WRONLY or O_RDWR, O_APPEND, O_NONBLOCK, O_DSYNC, O_NOATIME, O_SYNC. */
  private static final int LASTING_FLAGS = 3 | 02000 | 04000 | 010000 | 01000000 | 04000000;

  private final int pid;

  /** By what names them beside a path: device and inode. */
  private final Map<Object, Copy> copies = new LinkedHashMap<>();

  private int bytes;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Copy(String name, byte[] content, List<Integer> numbers) {}

  NamelessFiles(int pid) {
    this.pid = pid;
  }

  /**
   * Takes a descriptor on.
   *
   * @param open of a regular file
   * @return why it cannot be copied; empty if it can
   */
  Optional<String> add(OpenDescriptor open) {
    int number = open.number();
    Path link = Path.of("/proc/" + pid + "/fd/" + number);
    try {
      Object key =
          Files.getAttribute(link, "unix:dev") + ":" + Files.getAttribute(link, "unix:ino");
      Copy known = copies.get(key);
      if (known != null) {
        known.numbers().add(number);
        return Optional.empty();
      }
      long size = Files.size(link);
      if (size > MAX_BYTES - bytes) {
        return Optional.of(
            "has "
                + size
                + " bytes, and clones can be given "
                + MAX_BYTES
                + " of all such files together");
      }
      Copy copy =
          new Copy(name(open.path()), read(link, (int) size), new ArrayList<>(List.of(number)));
      copies.put(key, copy);
      bytes += copy.content().length;
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of("cannot be read: " + e);
    }
  }

  private static byte[] read(Path link, int size) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(size);
    try (FileChannel channel = FileChannel.open(link, StandardOpenOption.READ)) {
      while (content.hasRemaining() && channel.read(content, content.position()) > 0) {
        // Until all is there.
      }
    }
    if (content.hasRemaining()) {
      throw new IOException(content.remaining() + " of " + size + " bytes are missing");
    }
    return content.array();
  }

  /** For people who look at a clone's descriptors. */
  private static String name(String path) {
    String name = path.substring(path.lastIndexOf('/') + 1);
    name = name.startsWith(MEMFD) ? name.substring(MEMFD.length()) : name;
    return name.substring(0, Math.min(name.length(), MAX_NAME));
  }

  /** What a clone has to do, in order. */
  List<Operation> operations() throws IOException {
    List<Operation> operations = new ArrayList<>();
    for (Copy copy : copies.values()) {
      make(copy, operations);
      // The first is what the others are opened by, and is opened by itself at last.
      for (int i = copy.numbers().size() - 1; i >= 0; i--) {
        open(copy.numbers().get(i), copy.numbers().get(0), operations);
      }
    }
    return operations;
  }

  private void make(Copy copy, List<Operation> operations) {
    int first = copy.numbers().get(0);
    String detail = "a copy of " + copy.name();
    operations.add(
        Operation.of(
                "memfd_create",
                detail,
                MEMFD_CREATE,
                new Text(copy.name()),
                value(MFD_CLOEXEC | MFD_ALLOW_SEALING))
            .keepingResult());
    operations.add(Operation.of("dup3", detail, DUP3, new Kept(), value(first), value(O_CLOEXEC)));
    operations.add(Operation.of("close", detail, CLOSE, new Kept()));
    int written = withoutZeros(copy.content());
    operations.add(
        Operation.of("ftruncate", detail, FTRUNCATE, value(first), value(copy.content().length)));
    if (written > 0) {
      operations.add(
          Operation.of(
              "pwrite64",
              detail,
              PWRITE64,
              value(first),
              new Bytes(Arrays.copyOf(copy.content(), written)),
              value(written),
              value(0)));
    }
  }

  /** How many bytes there are up to the last that is not zero. */
  private static int withoutZeros(byte[] content) {
    int end = content.length;
    while (end > 0 && content[end - 1] == 0) {
      end--;
    }
    return end;
  }

  private void open(int number, int first, List<Operation> operations) throws IOException {
    long position = Long.parseLong(ProcFs.descriptorInfo(pid, number, "pos"));
    int flags = Integer.parseInt(ProcFs.descriptorInfo(pid, number, "flags"), 8);
    String path = "/proc/self/fd/" + first;
    operations.addAll(
        Descriptors.opening(path, flags & LASTING_FLAGS, number, flags & O_CLOEXEC, position));
  }
}
