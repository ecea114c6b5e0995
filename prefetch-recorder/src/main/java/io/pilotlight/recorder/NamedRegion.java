package io.pilotlight.recorder;

/**
 * A part of a process's memory by the name of what it is for. Several may have one name.
 *
 * @param start address of its first byte
 * @param end address of the first byte after it
 * @param name like {@code java heap} or {@code libjvm}
 */
public record NamedRegion(long start, long end, String name) {}
