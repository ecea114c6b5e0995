package io.pilotlight.recorder;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a working set consists of, and how well it fits the calls that it was merged from.
 * Immutable.
 *
 * @param recordings of how many first calls
 * @param rows by region, those with the most pages first
 * @param usual the pages that most of the calls touched: what is replayed
 * @param touched the pages that any of the calls touched
 * @param regions where there are such pages, in ascending order
 */
public record WorkingSetReport(
    int recordings, List<Row> rows, Recording usual, Recording touched, List<NamedRegion> regions) {
  /** Copies the lists. */
  public WorkingSetReport {
    rows = List.copyOf(rows);
    regions = List.copyOf(regions);
  }

  /**
   * The part of it that lies in regions of one name.
   *
   * @param region their name
   * @param writtenPages pages that most calls write
   * @param filePages pages of files that most calls read or run
   * @param hitRate of those pages, the share that a call touches in the mean; 1 if there are none
   * @param missedPages pages that a call touches in the mean beside them
   */
  public record Row(
      String region, long writtenPages, long filePages, double hitRate, double missedPages) {
    /** Of all that a call touches here, the share that is not replayed; 0 if it touches nothing. */
    public double missRate() {
      double hits = hitRate * (writtenPages + filePages);
      return missedPages == 0 ? 0 : missedPages / (hits + missedPages);
    }
  }

  /**
   * Makes one.
   *
   * @param recordings what calls touched
   * @param usual what most of them touched
   * @param regions what lies where; a page in none of them is left out of the rows
   */
  static WorkingSetReport of(
      List<Recording> recordings, Recording usual, List<NamedRegion> regions) {
    Map<String, PageSet> named = new LinkedHashMap<>();
    for (NamedRegion region : regions) {
      named.merge(region.name(), pages(region), PageSet::or);
    }
    List<Row> rows = new ArrayList<>();
    named.forEach(
        (name, pages) -> {
          Row row = row(name, pages, recordings, usual);
          if (row.writtenPages() + row.filePages() > 0 || row.missedPages() > 0) {
            rows.add(row);
          }
        });
    rows.sort(Comparator.comparingLong((Row row) -> -row.writtenPages() - row.filePages()));
    Recording touched =
        recordings.stream()
            .reduce(
                new Recording(PageSet.empty(), PageSet.empty()),
                (a, b) -> new Recording(a.written().or(b.written()), a.file().or(b.file())));
    PageSet all = touched.written().or(touched.file());
    List<NamedRegion> used =
        regions.stream().filter(region -> all.and(pages(region)).pages() > 0).toList();
    return new WorkingSetReport(recordings.size(), rows, usual, touched, used);
  }

  private static PageSet pages(NamedRegion region) {
    return new PageSet.Builder().add(region.start(), region.end()).build();
  }

  private static Row row(String name, PageSet region, List<Recording> recordings, Recording usual) {
    PageSet written = usual.written().and(region);
    PageSet file = usual.file().and(region);
    long replayed = written.pages() + file.pages();
    long hits = 0;
    long all = 0;
    for (Recording recording : recordings) {
      hits += recording.written().and(written).pages() + recording.file().and(file).pages();
      all += recording.written().and(region).pages() + recording.file().and(region).pages();
    }
    int calls = Math.max(1, recordings.size());
    double hitRate = replayed == 0 ? 1 : (double) hits / calls / replayed;
    return new Row(name, written.pages(), file.pages(), hitRate, (double) (all - hits) / calls);
  }
}
