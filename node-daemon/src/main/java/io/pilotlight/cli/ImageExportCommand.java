package io.pilotlight.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.daemon.function.ConflictException;
import io.pilotlight.daemon.function.ImageExport;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageSummary;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code pilotlight image export}: one file that can be shipped. */
@Command(
    name = "export",
    description =
        "Writes an image to one file (tar, zstd): a function's with its definition and its jars,"
            + " so that it can be imported elsewhere. Values of secrets are not in it.")
final class ImageExportCommand implements Callable<Integer> {
  @Mixin private final ImageCommand.Location location = new ImageCommand.Location();
  @Mixin private final Output output = new Output();

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      description = "Its id, its function, or its directory.")
  private String name = "";

  @Parameters(index = "1", paramLabel = "FILE", description = "What is written.")
  private Path file = Path.of("");

  @Override
  public Integer call() throws CliException {
    Path image = location.image(name);
    ImageExport export = new ImageExport(location.data().resolve("functions"), new ObjectMapper());
    Path unfinished = file.resolveSibling(file.getFileName() + ".new");
    try {
      ImageSummary summary = write(export, image, unfinished);
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
      ObjectNode row = new ImageRows().row(summary);
      row.put("file", file.toAbsolutePath().toString()).put("exportedBytes", Files.size(file));
      output.print(
          row,
          () ->
              "image %s of %s: %s in %s"
                  .formatted(
                      summary.zygote(),
                      summary.subject().name(),
                      Units.mebibytes(row.get("exportedBytes").asLong()),
                      file));
      return 0;
    } catch (ImageException | ConflictException e) {
      throw new CliException(name + " was not exported: " + e.getMessage());
    } catch (LinkageError e) {
      throw noZstd(e);
    } catch (IOException e) {
      throw new CliException(name + " could not be exported to " + file + ": " + e);
    }
  }

  /** Its native library is put into a temporary directory. */
  static CliException noZstd(LinkageError e) {
    return new CliException(
        "zstd cannot be loaded from "
            + System.getProperty("java.io.tmpdir")
            + ": "
            + e
            + "; name a directory that is not mounted noexec by"
            + " PILOTLIGHT_JAVA_OPTS=-Djava.io.tmpdir=DIR");
  }

  /** Whole, or nothing is left. */
  private static ImageSummary write(ImageExport export, Path image, Path unfinished)
      throws ImageException, ConflictException, IOException {
    boolean done = false;
    Files.deleteIfExists(unfinished);
    try (FileChannel channel =
            FileChannel.open(
                unfinished,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rw-------")));
        OutputStream out = Channels.newOutputStream(channel)) {
      ImageSummary summary = export.write(image, out);
      channel.force(true);
      done = true;
      return summary;
    } finally {
      if (!done) {
        Files.deleteIfExists(unfinished);
      }
    }
  }
}
