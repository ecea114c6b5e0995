package io.pilotlight.recorder;

/**
 * How well a set of pages fitted calls that were recorded after it was made, in pages.
 *
 * @param used in the set, and touched
 * @param unused in the set, and not touched
 * @param missed touched, and not in the set
 */
public record Fit(long used, long unused, long missed) {
  /** Of no call. */
  public static final Fit NONE = new Fit(0, 0, 0);

  /** Of one call. */
  public static Fit of(Recording set, Recording call) {
    return of(set.written(), call.written()).plus(of(set.file(), call.file()));
  }

  private static Fit of(PageSet set, PageSet call) {
    long used = set.and(call).pages();
    return new Fit(used, set.pages() - used, call.pages() - used);
  }

  /** Of the calls of both. */
  public Fit plus(Fit other) {
    return new Fit(used + other.used, unused + other.unused, missed + other.missed);
  }
}
