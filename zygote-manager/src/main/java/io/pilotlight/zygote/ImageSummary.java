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
 */
public record ImageSummary(
    Path directory, String zygote, String created, ImageSubject subject, long bytes) {}
