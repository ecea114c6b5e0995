package io.pilotlight.descriptor;

/**
 * What a function's owner says about descriptors.
 *
 * @param policy what is done about those that are open at the freeze
 * @param tracked whether its JVM keeps account of where each was opened, for messages
 */
public record DescriptorOptions(DescriptorPolicy policy, boolean tracked) {
  /** No rule, no account. */
  public static final DescriptorOptions DEFAULT =
      new DescriptorOptions(DescriptorPolicy.NONE, false);
}
