package io.pilotlight.zygote;

import io.pilotlight.engine.Obstacle;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Why a JVM was not frozen, for its function's owner.
 *
 * @param obstacles what it holds that clones cannot be given
 */
record Refusal(List<Obstacle> obstacles) {

  /**
   * The whole text.
   *
   * @param openers the Java stack that opened each descriptor; null if no account was kept
   */
  String describe(@Nullable Map<Integer, String> openers) {
    String text =
        obstacles.stream()
            .map(obstacle -> describe(obstacle, openers))
            .collect(Collectors.joining(" "));
    boolean descriptors = obstacles.stream().anyMatch(o -> o.descriptor().isPresent());
    return openers == null && descriptors
        ? text + " To be told where it was opened, deploy with --agent trackDescriptors."
        : text;
  }

  private static String describe(Obstacle obstacle, @Nullable Map<Integer, String> openers) {
    if (openers == null || obstacle.descriptor().isEmpty()) {
      return obstacle.toString();
    }
    String opener = openers.get(obstacle.descriptor().getAsInt());
    return obstacle.what()
        + (opener == null
            ? " Nothing opened it that is tracked: native code did, or it was open from the start."
            : " It was opened by " + opener + ".")
        + " "
        + obstacle.remedy();
  }
}
