package io.pilotlight.zygote;

import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.zygote.ZygoteHost.Adoption;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for what an earlier daemon of the same run directory left: takes its zygotes over, and ends
 * everything else.
 */
final class Adopter {
  private static final Logger LOG = LoggerFactory.getLogger(Adopter.class);
  private static final Duration END_TIME = Duration.ofSeconds(5);

  private final Path runDirectory;
  private final String marker;
  private final EventLoop loop;
  private final List<Zygote> adopted = new ArrayList<>();
  private final List<String> ended = new ArrayList<>();
  private final Set<Integer> keep = new HashSet<>();

  Adopter(Path runDirectory, String owner, EventLoop loop) {
    this.runDirectory = runDirectory;
    this.marker = JvmCommand.ownerMarker(owner);
    this.loop = loop;
  }

  /** Makes a usable zygote of a record. */
  interface Opener {
    Zygote open(ZygoteRecord record, ProcessWatch process) throws IOException;
  }

  Adoption run(Opener opener, Consumer<String> forgetFiles) {
    for (Path file : recordFiles()) {
      adopt(file, opener, forgetFiles);
    }
    endStrays();
    removeStaleFiles();
    return new Adoption(List.copyOf(adopted), List.copyOf(ended));
  }

  private List<Path> recordFiles() {
    return files("*" + ZygoteRecord.SUFFIX);
  }

  private List<Path> files(String glob) {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(runDirectory, glob)) {
      entries.forEach(found::add);
    } catch (IOException e) {
      LOG.error("run directory {} cannot be listed", runDirectory, e);
    }
    return found;
  }

  private void adopt(Path file, Opener opener, Consumer<String> forgetFiles) {
    String name = file.getFileName().toString();
    String id = name.substring(0, name.length() - ZygoteRecord.SUFFIX.length());
    try {
      ZygoteRecord record = ZygoteRecord.read(file);
      if (!isOurs(record.pid()) || ProcFs.startTicks(record.pid()) != record.startTicks()) {
        ended.add("Zygote " + id + " of " + record.spec().name() + " had already ended.");
        forgetFiles.accept(id);
        return;
      }
      Optional<ProcessWatch> process = ProcessWatch.of(record.pid(), loop);
      if (process.isPresent()) {
        adopted.add(opener.open(record, process.get()));
        keep.add(record.pid());
        keep.add(record.keeperPid());
      }
    } catch (IOException e) {
      ended.add("Zygote " + id + " cannot be taken over and is ended: " + e.getMessage());
      forgetFiles.accept(id);
    }
  }

  private boolean isOurs(int pid) {
    try {
      return ProcFs.commandLine(pid).stream()
          .anyMatch(
              a -> a.equals(marker) || (a.startsWith("-javaagent:") && a.endsWith("=" + marker)));
    } catch (IOException e) {
      return false;
    }
  }

  private void endStrays() {
    Map<Integer, ProcessWatch> strays = new TreeMap<>();
    try {
      for (int pid : ProcFs.processes()) {
        if (!keep.contains(pid) && isOurs(pid)) {
          ProcessWatch.of(pid, loop).ifPresent(process -> strays.put(pid, process));
        }
      }
    } catch (IOException e) {
      LOG.error("processes of an earlier daemon cannot be looked for", e);
    }
    strays.values().forEach(ProcessWatch::kill);
    // The first process of a PID namespace does not end before each other one in it has been
    // reaped.
    // Who that was left to when the daemon died may never do it.
    if (!Ends.within(END_TIME, strays.values().stream().map(ProcessWatch::exit).toList())) {
      LOG.warn(
          "leftovers of an earlier daemon have not ended {} s after a SIGKILL",
          END_TIME.toSeconds());
    }
    strays.forEach(
        (pid, process) ->
            ended.add(
                "Process "
                    + pid
                    + ", a leftover of an earlier daemon, was "
                    + (process.exit().isDone() ? "ended." : "killed, and has not ended yet.")));
  }

  /** Sockets of JVMs that were never frozen, and records that were not finished. */
  private void removeStaleFiles() {
    Set<String> ids = new HashSet<>();
    adopted.forEach(zygote -> ids.add(zygote.id()));
    for (Path file : files("z-*")) {
      String name = file.getFileName().toString();
      if (!ids.contains(name.replaceFirst("\\.(sock|zygote|new)$", ""))) {
        try {
          Files.deleteIfExists(file);
        } catch (IOException e) {
          LOG.warn("stale file {} cannot be removed", file, e);
        }
      }
    }
  }
}
