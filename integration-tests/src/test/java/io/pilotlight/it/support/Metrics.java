package io.pilotlight.it.support;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Metrics in Prometheus' text format 0.0.4, parsed strictly: what that format does not allow is an
 * error.
 */
public final class Metrics {
  private static final String NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
  private static final Pattern HELP = Pattern.compile("# HELP (" + NAME + ") .*");
  private static final Pattern TYPE =
      Pattern.compile("# TYPE (" + NAME + ") (counter|gauge|histogram|summary|untyped)");
  private static final Pattern SAMPLE =
      Pattern.compile("(" + NAME + ")(?:\\{(.*)\\})? ([^ ]+)(?: [0-9]+)?");
  private static final Pattern LABEL =
      Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\\n]|\\\\[\\\\\"n])*)\",?");

  private final List<Sample> samples = new ArrayList<>();
  private final Map<String, String> types = new LinkedHashMap<>();

  private Metrics() {}

  /** One value of one series. */
  public record Sample(String name, Map<String, String> labels, double value) {}

  /** Reads all of it. */
  public static Metrics parse(String text) {
    if (!text.endsWith("\n")) {
      throw new AssertionError("metrics do not end with a newline");
    }
    Metrics metrics = new Metrics();
    Set<String> series = new LinkedHashSet<>();
    for (String line : text.split("\n", 0)) {
      if (line.startsWith("#")) {
        metrics.comment(line);
      } else {
        Sample sample = sample(line);
        metrics.samples.add(sample);
        if (!series.add(sample.name() + sample.labels())) {
          throw new AssertionError("series twice: " + line);
        }
        if (!metrics.types.containsKey(metrics.family(sample.name()))) {
          throw new AssertionError("a sample before its type: " + line);
        }
      }
    }
    return metrics;
  }

  private void comment(String line) {
    Matcher type = TYPE.matcher(line);
    if (type.matches()) {
      if (types.put(type.group(1), type.group(2)) != null) {
        throw new AssertionError("type twice: " + line);
      }
    } else if (!HELP.matcher(line).matches()) {
      throw new AssertionError("neither HELP nor TYPE: " + line);
    }
  }

  private static Sample sample(String line) {
    Matcher matcher = SAMPLE.matcher(line);
    if (!matcher.matches()) {
      throw new AssertionError("no sample: " + line);
    }
    Map<String, String> labels = new LinkedHashMap<>();
    String rest = matcher.group(2) == null ? "" : matcher.group(2);
    Matcher label = LABEL.matcher(rest);
    int end = 0;
    while (end < rest.length()) {
      if (!label.find(end) || label.start() != end) {
        throw new AssertionError("label expected at " + end + " of: " + line);
      }
      if (labels.put(label.group(1), label.group(2)) != null) {
        throw new AssertionError("label twice: " + line);
      }
      end = label.end();
    }
    return new Sample(matcher.group(1), labels, value(matcher.group(3)));
  }

  private static double value(String text) {
    return switch (text) {
      case "+Inf" -> Double.POSITIVE_INFINITY;
      case "-Inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }

  /** The name under which a sample's type is declared. */
  private String family(String sample) {
    for (String suffix : List.of("_bucket", "_sum", "_count")) {
      if (sample.endsWith(suffix)) {
        String family = sample.substring(0, sample.length() - suffix.length());
        String type = types.get(family);
        if ("histogram".equals(type) || "summary".equals(type)) {
          return family;
        }
      }
    }
    return sample;
  }

  /** Every metric with its type, by name. */
  public Map<String, String> types() {
    return types;
  }

  /** All samples of that name that have these labels, and perhaps more. */
  public List<Sample> find(String name, Map<String, String> labels) {
    return samples.stream()
        .filter(s -> s.name().equals(name) && s.labels().entrySet().containsAll(labels.entrySet()))
        .toList();
  }

  /** The sum of {@link #find}. */
  public double sum(String name, Map<String, String> labels) {
    return find(name, labels).stream().mapToDouble(Sample::value).sum();
  }

  /** The names of the labels that the metric's samples have. */
  public Set<String> labelNames(String name) {
    Set<String> names = new LinkedHashSet<>();
    find(name, Map.of()).forEach(sample -> names.addAll(sample.labels().keySet()));
    return names;
  }
}
