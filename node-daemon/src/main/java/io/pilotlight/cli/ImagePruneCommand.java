package io.pilotlight.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.daemon.DaemonException;
import io.pilotlight.daemon.DataDirectory;
import io.pilotlight.daemon.function.FunctionDefinition;
import io.pilotlight.daemon.function.JarStore;
import io.pilotlight.daemon.function.JsonFields;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.ImageSummary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code pilotlight image prune}: removes images. */
@Command(
    name = "prune",
    description = {
      "Removes the images that cannot be restored here; clones of them live on. With options it"
          + " removes others too.",
      "The image may be the only thing that its function starts fast by: one that is removed is"
          + " built anew by the next daemon, which runs the function's code. So no daemon may be"
          + " using the data directory when there are options; a daemon keeps imageBudgetMib"
          + " itself."
    })
final class ImagePruneCommand implements Callable<Integer> {
  @Mixin private final ImageCommand.Location location = new ImageCommand.Location();
  @Mixin private final Output output = new Output();

  @Option(names = "--unused", description = "Those also that no stored function would start by.")
  private boolean unused;

  @Option(
      names = "--older-than",
      paramLabel = "TIME",
      converter = TimeConverter.class,
      description = "Those also of which no clone was made for so long: 90s, 30m, 12h, 7d.")
  private @Nullable Duration age;

  @Option(
      names = "--keep-budget",
      paramLabel = "MIB",
      description = "The least used for their size too, until the others fit into this.")
  private @Nullable Integer budgetMib;

  @Option(names = "--dry-run", description = "Only tell which would be removed.")
  private boolean dryRun;

  /** A number and a unit. */
  static final class TimeConverter implements ITypeConverter<Duration> {
    private static final Pattern TIME = Pattern.compile("(\\d{1,6})([smhd])");

    @Override
    public Duration convert(String text) {
      Matcher matcher = TIME.matcher(text);
      if (!matcher.matches()) {
        throw new TypeConversionException(
            "'" + text + "' is no time; give a number and s, m, h or d, like 12h");
      }
      long count = Long.parseLong(matcher.group(1));
      return switch (matcher.group(2)) {
        case "s" -> Duration.ofSeconds(count);
        case "m" -> Duration.ofMinutes(count);
        case "h" -> Duration.ofHours(count);
        default -> Duration.ofDays(count);
      };
    }
  }

  @Override
  public Integer call() throws CliException {
    ArrayNode removed = new ObjectMapper().createArrayNode();
    if (!unused && age == null && budgetMib == null) {
      prune(null, removed);
    } else if (Files.isDirectory(location.data())) {
      try (DataDirectory data = DataDirectory.open(location.data())) {
        prune(data, removed);
      } catch (DaemonException e) {
        throw new CliException(String.valueOf(e.getMessage()));
      } catch (IOException e) {
        throw new CliException(location.data() + " cannot be read: " + e);
      }
    }
    output.print(removed, () -> Column.table(removed, ImageRows.COLUMNS));
    return 0;
  }

  /**
   * Does it.
   *
   * @param data null if only those go that cannot be restored
   */
  private void prune(@Nullable DataDirectory data, ArrayNode removed) throws CliException {
    ImageRows rows = new ImageRows();
    List<ImageSummary> good = new ArrayList<>();
    for (Path image : location.images()) {
      ObjectNode row = rows.verified(image);
      if (!row.get("problem").isNull()) {
        remove(image, row, removed);
      } else if (data != null) {
        good.add(summary(image));
      }
    }
    if (data == null) {
      return;
    }
    long now = System.currentTimeMillis();
    if (unused) {
      Set<FunctionSpec> served = served(data);
      removeIf(good, image -> served.contains(image.subject()) ? null : "unused", rows, removed);
    }
    if (age != null) {
      long since = now - age.toMillis();
      removeIf(good, image -> image.usedEpochMillis() > since ? null : "old", rows, removed);
    }
    if (budgetMib != null) {
      good.sort(ImageStore.leastValuableFirst(now));
      long[] stored = {good.stream().mapToLong(ImageSummary::storedBytes).sum()};
      long budget = (long) budgetMib << 20;
      removeIf(
          good,
          image -> {
            if (stored[0] <= budget) {
              return null;
            }
            stored[0] -= image.storedBytes();
            return "over the budget";
          },
          rows,
          removed);
    }
  }

  /** Why an image goes; null if it stays. */
  @FunctionalInterface
  private interface Verdict {
    @Nullable String of(ImageSummary image);
  }

  private void removeIf(
      List<ImageSummary> images, Verdict verdict, ImageRows rows, ArrayNode removed)
      throws CliException {
    for (Iterator<ImageSummary> all = images.iterator(); all.hasNext(); ) {
      ImageSummary image = all.next();
      String why = verdict.of(image);
      if (why != null) {
        all.remove();
        remove(image.directory(), rows.row(image).put("problem", why), removed);
      }
    }
  }

  private static Set<FunctionSpec> served(DataDirectory data) throws CliException {
    Set<FunctionSpec> served = new HashSet<>();
    try {
      JarStore jars = new JarStore(data.jars());
      ImageImportCommand.definitions(data, jars, JsonFields.strictMapper()).load().stream()
          .filter(definition -> !definition.settings().noImage())
          .map(FunctionDefinition::spec)
          .forEach(served::add);
      return served;
    } catch (IOException e) {
      throw new CliException("the stored functions cannot be read: " + e);
    }
  }

  private static ImageSummary summary(Path image) throws CliException {
    try {
      return ImageStore.summary(image);
    } catch (ImageException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    }
  }

  private void remove(Path image, ObjectNode row, ArrayNode removed) throws CliException {
    try {
      if (!dryRun) {
        location.store().remove(image);
      }
    } catch (IOException e) {
      throw new CliException(image + " cannot be removed: " + e);
    }
    removed.add(row);
  }
}
