package io.pilotlight.recorder;

/**
 * What one clone touched from its start to the end of its first call.
 *
 * @param written pages that it wrote: copied from its zygote, or new
 * @param file pages of files that it read or ran
 */
public record Recording(PageSet written, PageSet file) {}
