package io.pilotlight.zygote;

import io.pilotlight.descriptor.DescriptorPolicy;

/**
 * In which condition JVMs are frozen. {@link #THOROUGH} makes the best parents; the others exist to
 * show by measurement what each step is worth, and that a JVM can be frozen at any instant.
 *
 * @param quiesce whether the agent is asked to collect garbage, trim memory and let the compiler
 *     finish
 * @param atRest whether every thread must be waiting in the kernel
 * @param collapse whether memory is put into huge pages
 * @param descriptors rules about open descriptors, behind those of the function
 */
public record FreezePolicy(
    boolean quiesce, boolean atRest, boolean collapse, DescriptorPolicy descriptors) {
  /** Everything. */
  public static final FreezePolicy THOROUGH = new FreezePolicy(true, true, true);

  /** Without rules about descriptors. */
  public FreezePolicy(boolean quiesce, boolean atRest, boolean collapse) {
    this(quiesce, atRest, collapse, DescriptorPolicy.NONE);
  }

  /** The same with other rules about descriptors. */
  public FreezePolicy with(DescriptorPolicy rules) {
    return new FreezePolicy(quiesce, atRest, collapse, rules);
  }

  /** As the JVM is, while it computes. */
  public static final FreezePolicy AT_ANY_INSTANT = new FreezePolicy(false, false, false);
}
