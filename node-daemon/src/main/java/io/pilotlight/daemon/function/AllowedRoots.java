package io.pilotlight.daemon.function;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Directories outside of which a request cannot make the daemon look: jars, layers and JDKs must
 * lie in one of them, also when every symbolic link on the way is followed. Immutable.
 */
public final class AllowedRoots {
  private final List<Path> roots;
  private final String remedy;

  private AllowedRoots(List<Path> roots, String remedy) {
    this.roots = roots;
    this.remedy = remedy;
  }

  /** The whole file system. */
  public static AllowedRoots everywhere() {
    return new AllowedRoots(List.of(Path.of("/")), "");
  }

  /**
   * Only there.
   *
   * @param roots absolute; none allows nothing
   */
  public static AllowedRoots of(List<Path> roots) {
    List<Path> normal = roots.stream().map(Path::normalize).toList();
    return new AllowedRoots(
        normal,
        normal.isEmpty()
            ? "this daemon allows no directory; its 'roots' name those that it does"
            : "this daemon allows " + normal + "; see its 'roots'");
  }

  /**
   * Follows the symbolic links of a path that is allowed. Of one that is not, nothing is looked at
   * but its text.
   *
   * @param field the request's field, for messages
   * @param path absolute and normal
   * @return the real path, or {@code path} itself if nothing is there
   * @throws InvalidFieldException if it lies elsewhere
   */
  Path real(String field, Path path) throws InvalidFieldException {
    check(field, path, path);
    Path real;
    try {
      real = path.toRealPath();
    } catch (IOException e) {
      // Whoever reads it says what is wrong with it.
      return path;
    }
    check(field, path, real);
    return real;
  }

  private void check(String field, Path path, Path place) throws InvalidFieldException {
    if (roots.stream().noneMatch(root -> place.startsWith(root) || place.startsWith(real(root)))) {
      throw new InvalidFieldException(
          field, "field '" + field + "' names " + path + ", which lies elsewhere: " + remedy);
    }
  }

  private static Path real(Path root) {
    try {
      return root.toRealPath();
    } catch (IOException e) {
      return root;
    }
  }
}
