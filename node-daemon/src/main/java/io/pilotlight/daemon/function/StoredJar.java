package io.pilotlight.daemon.function;

import java.nio.file.Path;

/**
 * A jar in the daemon's store.
 *
 * @param source where it was deployed from, for people
 * @param sha256 of its content, 64 hexadecimal digits
 * @param bytes its size
 * @param path its copy, which nobody rewrites
 */
public record StoredJar(Path source, String sha256, long bytes, Path path) {}
