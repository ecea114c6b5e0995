package io.pilotlight.zygote;

import java.nio.file.Path;

/**
 * What there is to know of an image.
 *
 * @param directory where it is
 * @param zygote the zygote that it was made of
 * @param created when, as ISO 8601
 * @param subject what it runs
 * @param bytes how much its files hold
 * @param storedBytes how much of the disk they take; holes take nothing
 * @param usedEpochMillis when clones of it were made last, to some minutes, or it was written
 */
public record ImageSummary(
    Path directory,
    String zygote,
    String created,
    ImageSubject subject,
    long bytes,
    long storedBytes,
    long usedEpochMillis) {}
