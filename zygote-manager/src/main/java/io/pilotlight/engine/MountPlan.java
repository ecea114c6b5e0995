package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.CHDIR;
import static io.pilotlight.linux.Syscall.MKDIR;
import static io.pilotlight.linux.Syscall.MKNOD;
import static io.pilotlight.linux.Syscall.MOUNT;
import static io.pilotlight.linux.Syscall.MOUNT_SETATTR;
import static io.pilotlight.linux.Syscall.PIVOT_ROOT;
import static io.pilotlight.linux.Syscall.SYMLINK;
import static io.pilotlight.linux.Syscall.UMOUNT2;

import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Operation.Text;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The mounts of a confined process, as system calls. See mount_namespaces(7).
 *
 * <p>What lies below a directory that is covered, and must stay visible, is bound into the new
 * mount before that is moved to its place: until then it stands on {@value #STAGE}, a directory
 * that every root has and from which nothing is needed meanwhile.
 */
final class MountPlan {
  private static final String STAGE = "/sys";

  private static final int MS_NOSUID = 2;
  private static final int MS_NODEV = 4;
  private static final int MS_NOEXEC = 8;
  private static final int MS_BIND = 0x1000;
  private static final int MS_MOVE = 0x2000;
  private static final int MS_REC = 0x4000;
  private static final int MS_PRIVATE = 1 << 18;
  private static final int MNT_DETACH = 2;
  private static final int AT_FDCWD = -100;
  private static final int AT_RECURSIVE = 0x8000;
  private static final int MOUNT_ATTR_RDONLY = 1;
  private static final int MOUNT_ATTR_NOSUID = 2;
  private static final int MOUNT_ATTR_BYTES = 32;
  private static final int S_IFREG = 0100000;

  private static final List<Path> PRIVATE_DIRECTORIES =
      List.of(Path.of("/tmp"), Path.of("/dev/shm"));

  private final Confinement confinement;
  private final List<Operation> operations = new ArrayList<>();

  private MountPlan(Confinement confinement) {
    this.confinement = confinement;
  }

  /**
   * Of a function's JVM, before its program is started and before the ids are given up: not all
   * that it may read can be reached by its user, but for what is bound here.
   */
  static List<Operation> ofJvm(Confinement confinement) throws IOException {
    MountPlan plan = new MountPlan(confinement);
    plan.mount("", "/", "", MS_REC | MS_PRIVATE, "");
    if (confinement.level() == Isolation.SANDBOX) {
      plan.sandbox(SandboxRoot.of(confinement.visible()));
    } else {
      plan.hide();
    }
    plan.coverPrivate();
    return plan.operations;
  }

  /** Of a clone, in its zygote's mounts. */
  static List<Operation> ofClone(Confinement confinement) {
    MountPlan plan = new MountPlan(confinement);
    plan.proc();
    plan.coverPrivate();
    return plan.operations;
  }

  /** The /proc of the PID namespace that the process is in. */
  static List<Operation> ownProc(Confinement confinement) {
    MountPlan plan = new MountPlan(confinement);
    plan.proc();
    return plan.operations;
  }

  private void proc() {
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
  }

  private void coverPrivate() {
    String options = "mode=1777,size=" + confinement.temporaryMib() + "m";
    for (Path directory : PRIVATE_DIRECTORIES) {
      if (Files.isDirectory(directory)) {
        cover(directory, options, confinement.level() != Isolation.SANDBOX);
      }
    }
  }

  private void hide() {
    for (Path directory : outermost(confinement.hidden())) {
      cover(directory, "mode=0755,size=1m", false);
      readOnly(directory.toString());
    }
  }

  /** A new file system on {@code directory}, with what must stay visible below that. */
  private void cover(Path directory, String options, boolean withHidden) {
    List<Path> kept = new ArrayList<>(confinement.visible());
    if (withHidden) {
      kept.addAll(confinement.hidden());
    }
    kept.removeIf(path -> !path.startsWith(directory) || path.equals(directory));
    String place = kept.isEmpty() ? directory.toString() : STAGE;
    mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, options);
    for (Path path : outermost(kept)) {
      bind(path, Path.of(STAGE).resolve(directory.relativize(path)), Path.of(STAGE));
    }
    if (!kept.isEmpty()) {
      mount(STAGE, directory.toString(), "", MS_MOVE, "");
    }
  }

  /** Those that lie in no other. */
  private static List<Path> outermost(List<Path> paths) {
    return paths.stream()
        .distinct()
        .filter(
            path ->
                paths.stream().noneMatch(other -> !other.equals(path) && path.startsWith(other)))
        .toList();
  }

  private void sandbox(SandboxRoot root) {
    mount("tmpfs", STAGE, "tmpfs", MS_NOSUID, "mode=0755,size=1m");
    Path stage = Path.of(STAGE);
    for (String directory : List.of("proc", "tmp", "dev", "dev/shm", "sys")) {
      mkdir(stage.resolve(directory));
    }
    for (Path path : outermost(root.bound())) {
      bind(path, stage.resolve(Path.of("/").relativize(path)), stage);
    }
    root.links()
        .forEach(
            (link, target) -> {
              Path place = stage.resolve(Path.of("/").relativize(link));
              mkParents(place, stage);
              operations.add(
                  Operation.of(
                      "symlink",
                      link.toString(),
                      SYMLINK,
                      new Text(target.toString()),
                      new Text(place.toString())));
            });
    readOnly(STAGE);
    mount("/proc", STAGE + "/proc", "", MS_BIND | MS_REC, "");
    operations.add(Operation.of("chdir", STAGE, CHDIR, new Text(STAGE)));
    operations.add(Operation.of("pivot_root", STAGE, PIVOT_ROOT, new Text("."), new Text(".")));
    operations.add(
        Operation.of("umount2", "the old root", UMOUNT2, new Text("."), value(MNT_DETACH)));
    operations.add(Operation.of("chdir", "/", CHDIR, new Text("/")));
  }

  /** With all below it, at a place in a new file system of which {@code root} is the root. */
  private void bind(Path path, Path place, Path root) {
    mkParents(place, root);
    if (Files.isDirectory(path)) {
      mkdir(place);
    } else {
      operations.add(
          Operation.of(
                  "mknod",
                  place.toString(),
                  MKNOD,
                  new Text(place.toString()),
                  value(S_IFREG | 0444),
                  value(0))
              .orIgnore());
    }
    mount(path.toString(), place.toString(), "", MS_BIND | MS_REC, "");
  }

  /** One that is there already, or cannot be made, shows in what is done with it next. */
  private void mkParents(Path place, Path root) {
    Path relative = root.relativize(place);
    for (int i = 1; i < relative.getNameCount(); i++) {
      mkdir(root.resolve(relative.subpath(0, i)));
    }
  }

  private void mkdir(Path directory) {
    operations.add(
        Operation.of(
                "mkdir", directory.toString(), MKDIR, new Text(directory.toString()), value(0755))
            .orIgnore());
  }

  private void mount(String source, String target, String type, int flags, String options) {
    operations.add(
        Operation.of(
            "mount",
            (source.isEmpty() ? "" : source + " on ") + target,
            MOUNT,
            new Text(source),
            new Text(target),
            new Text(type),
            value(flags),
            new Text(options)));
  }

  private void readOnly(String directory) {
    ByteBuffer attributes = ByteBuffer.allocate(MOUNT_ATTR_BYTES).order(ByteOrder.nativeOrder());
    attributes.putLong(0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
    operations.add(
        Operation.of(
            "mount_setattr",
            "read-only " + directory,
            MOUNT_SETATTR,
            value(AT_FDCWD),
            new Text(directory),
            value(AT_RECURSIVE),
            new Bytes(attributes.array()),
            value(MOUNT_ATTR_BYTES)));
  }
}
