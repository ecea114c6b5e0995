package io.pilotlight.daemon.function;

/**
 * How far the build of a zygote is.
 *
 * @param version of the function
 * @param stage {@code queued}, or what is being done, in lower case
 * @param done steps of this stage that are done
 * @param total steps of this stage, or 0 where they are not counted
 */
public record BuildStatus(int version, String stage, int done, int total) {
  static BuildStatus queued(int version) {
    return new BuildStatus(version, "queued", 0, 0);
  }
}
