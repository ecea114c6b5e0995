package io.pilotlight.daemon.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.daemon.function.BuildStatus;
import io.pilotlight.daemon.function.Deployment;
import io.pilotlight.daemon.function.ForkComparison;
import io.pilotlight.daemon.function.FunctionDefinition;
import io.pilotlight.daemon.function.FunctionRegistry;
import io.pilotlight.daemon.function.ReplayTrial;
import io.pilotlight.daemon.function.ServedFunction;
import io.pilotlight.daemon.function.SettingsJson;
import io.pilotlight.daemon.function.StoredJar;
import io.pilotlight.daemon.function.ZygoteTenure;
import io.pilotlight.daemon.pool.ServingJvm;
import io.pilotlight.daemon.pool.Start;
import io.pilotlight.recorder.NamedRegion;
import io.pilotlight.recorder.PageSet;
import io.pilotlight.recorder.WorkingSetReport;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.Replay;
import io.pilotlight.zygote.Zygote;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What is held, as JSON for clients. Thread-safe. */
final class FunctionViews {
  private final FunctionRegistry registry;
  private final SettingsJson settings;
  private final ObjectMapper json;

  FunctionViews(FunctionRegistry registry, SettingsJson settings, ObjectMapper json) {
    this.registry = registry;
    this.settings = settings;
    this.json = json;
  }

  ObjectNode functions() {
    ObjectNode root = json.createObjectNode();
    ArrayNode functions = root.putArray("functions");
    registry.all().forEach(function -> functions.add(function(function)));
    return root;
  }

  ObjectNode function(ServedFunction function) {
    ObjectNode node = json.createObjectNode();
    Deployment current = function.current();
    node.put("name", function.name());
    node.put("state", lower(function.state()));
    if (current != null) {
      FunctionDefinition definition = current.definition();
      node.put("version", definition.version());
      node.put("deployedAt", Instant.ofEpochMilli(definition.deployedEpochMillis()).toString());
      jars(definition.jars(), node.putArray("jars"));
      jars(definition.layers(), node.putArray("layers"));
      settings.write(definition.settings(), node);
      Zygote zygote = current.zygote();
      if (zygote == null) {
        node.putNull("zygote");
      } else {
        zygote(zygote, node.putObject("zygote"));
      }
      node.set("zygoteReview", review(current.tenure()));
      replayTrials(current, node.putObject("replayReview"));
      image(current, node);
      clones(current, node.putObject("clones"));
      ArrayNode warnings = node.putArray("warnings");
      Zygote cloneable = current.cloneable();
      if (cloneable != null) {
        cloneable.warnings().forEach(warnings::add);
      }
    }
    node.put("running", function.running());
    build(function.build(), node);
    node.put("lastError", function.lastError());
    return node;
  }

  private static void jars(List<StoredJar> jars, ArrayNode out) {
    for (StoredJar jar : jars) {
      out.addObject()
          .put("source", jar.source().toString())
          .put("sha256", jar.sha256())
          .put("bytes", jar.bytes());
    }
  }

  private static void build(@Nullable BuildStatus build, ObjectNode node) {
    if (build == null) {
      node.putNull("build");
      return;
    }
    node.putObject("build")
        .put("version", build.version())
        .put("stage", build.stage())
        .put("done", build.done())
        .put("total", build.total());
  }

  private static void zygote(Zygote zygote, ObjectNode out) {
    out.put("id", zygote.id());
    out.put("pid", zygote.pid());
    out.put("state", lower(zygote.state()));
    out.put("kind", lower(zygote.kind()));
    out.put("threads", zygote.threads());
    out.put("residentBytes", zygote.residentBytes());
    out.put("adopted", zygote.adopted());
    replay(zygote.replay(), out.putObject("workingSet"));
  }

  private static void replay(Replay replay, ObjectNode out) {
    out.put("recordings", replay.recordings())
        .put("writtenPages", replay.writtenPages())
        .put("filePages", replay.filePages())
        .put("replayedPages", replay.replayedPages())
        .put("imagePages", replay.imagePages())
        .put("imageReads", replay.imageReads())
        .put("usedPages", replay.fit().used())
        .put("unusedPages", replay.fit().unused())
        .put("missedPages", replay.fit().missed());
  }

  /**
   * What first calls of a function touch.
   *
   * @throws IOException if its zygote was lost meanwhile
   */
  ObjectNode workingSet(String name, Zygote zygote) throws IOException {
    WorkingSetReport report = zygote.workingSet();
    ObjectNode node = json.createObjectNode();
    node.put("function", name).put("zygote", zygote.id()).put("recordings", report.recordings());
    ArrayNode regions = node.putArray("regions");
    for (WorkingSetReport.Row row : report.rows()) {
      regions
          .addObject()
          .put("region", row.region())
          .put("writtenPages", row.writtenPages())
          .put("filePages", row.filePages())
          .put("bytes", (row.writtenPages() + row.filePages()) * PageSet.PAGE_BYTES)
          .put("hitRate", row.hitRate())
          .put("missRate", row.missRate())
          .put("missedPages", row.missedPages());
    }
    ArrayNode map = node.putArray("map");
    for (NamedRegion region : report.regions()) {
      map.addObject()
          .put("start", hex(region.start()))
          .put("pages", (region.end() - region.start()) / PageSet.PAGE_BYTES)
          .put("region", region.name());
    }
    ObjectNode runs = node.putObject("runs");
    runs(report.usual().written(), runs.putArray("written"));
    runs(report.usual().file(), runs.putArray("file"));
    runs(report.touched().written().or(report.touched().file()), runs.putArray("touched"));
    return node;
  }

  private static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }

  /** Each as the address of its first page and its number of pages. */
  private static void runs(PageSet pages, ArrayNode out) {
    pages.forEachRun(
        (start, end) -> out.addArray().add(hex(start)).add((end - start) / PageSet.PAGE_BYTES));
  }

  private static void image(Deployment current, ObjectNode out) {
    Deployment.Image image = current.image();
    ImageException failure = current.imageFailure();
    out.put("imageError", failure == null ? null : failure.getMessage());
    if (image == null) {
      out.putNull("image");
      return;
    }
    ObjectNode node = out.putObject("image");
    replay(image.blank().replay(), node.putObject("workingSet"));
    node.put("id", image.summary().zygote())
        .put("directory", image.summary().directory().toString())
        .put("created", image.summary().created())
        .put("bytes", image.summary().bytes())
        .put("storedBytes", image.summary().storedBytes())
        .put("pid", image.blank().pid())
        .put("residentBytes", image.blank().residentBytes());
  }

  /** What is known of the use of a zygote in memory. */
  private ObjectNode review(ZygoteTenure tenure) {
    ForkComparison.Measured measured = tenure.measured();
    ObjectNode node = json.createObjectNode();
    node.put("forks", lower(measured.verdict()).replace('_', '-'));
    comparison(node.putObject("fork"), measured.forks(), measured.forkNanos());
    comparison(node.putObject("restore"), measured.restores(), measured.restoreNanos());
    ZygoteTenure.End end = tenure.end();
    if (end == null) {
      node.putNull("ended");
    } else {
      node.putObject("ended")
          .put("reason", end.reason().word())
          .put("message", end.message())
          .put("at", Instant.ofEpochMilli(end.epochMillis()).toString());
    }
    return node;
  }

  /** Whether clones on demand replay, and why. */
  private static void replayTrials(Deployment current, ObjectNode out) {
    for (Start start : List.of(Start.FORK, Start.RESTORE)) {
      ReplayTrial.Measured measured = current.replayTrial(start).measured();
      ObjectNode node = out.putObject(start.word());
      node.put("on", measured.on() && current.definition().settings().replay())
          .put("since", Instant.ofEpochMilli(measured.sinceEpochMillis()).toString())
          .put("switches", measured.switches());
      comparison(node.putObject("replayed"), measured.replayed(), measured.replayedNanos());
      comparison(node.putObject("plain"), measured.plain(), measured.plainNanos());
    }
  }

  private static void comparison(ObjectNode out, int calls, OptionalLong medianNanos) {
    out.put("calls", calls);
    if (medianNanos.isPresent()) {
      out.put("medianSeconds", medianNanos.getAsLong() / 1e9);
    } else {
      out.putNull("medianSeconds");
    }
  }

  private static void clones(Deployment current, ObjectNode out) {
    current.count().forEach((state, count) -> out.put(lower(state), count));
  }

  ObjectNode zygotes() {
    ObjectNode root = json.createObjectNode();
    ArrayNode zygotes = root.putArray("zygotes");
    for (ServedFunction function : registry.all()) {
      Deployment current = function.current();
      Zygote zygote = current == null ? null : current.cloneable();
      if (current != null && zygote != null) {
        ObjectNode node = zygotes.addObject();
        node.put("function", function.name());
        node.put("version", current.definition().version());
        zygote(zygote, node);
      }
    }
    return root;
  }

  ObjectNode clones() {
    ObjectNode root = json.createObjectNode();
    ArrayNode clones = root.putArray("clones");
    for (ServedFunction function : registry.all()) {
      Deployment current = function.current();
      if (current == null) {
        continue;
      }
      for (ServingJvm jvm : current.jvms()) {
        ObjectNode node = clones.addObject();
        node.put("id", jvm.jvm().id());
        node.put("function", function.name());
        node.put("version", current.definition().version());
        node.put("pid", jvm.jvm().pid());
        node.put("start", jvm.origin().word());
        node.put("state", lower(jvm.state()));
        node.put("served", jvm.served());
        node.put("startedAt", Instant.ofEpochMilli(jvm.startedEpochMillis()).toString());
        jvm.jvm()
            .privateBytes()
            .ifPresentOrElse(
                bytes -> node.put("privateBytes", bytes), () -> node.putNull("privateBytes"));
      }
    }
    return root;
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
