package io.pilotlight.descriptor;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The rules of a function's owner about descriptors that are open at the freeze, in the format of
 * CRaC's {@code jdk.crac.resource-policies}: rules of {@code key: value} lines, separated by {@code
 * ---}; lines that begin with {@code #} and empty lines mean nothing. The first rule that matches a
 * descriptor decides. Immutable.
 *
 * @param rules in their order
 */
public record DescriptorPolicy(List<DescriptorRule> rules) {
  /** No rule: each descriptor is dealt with as is usual for its kind. */
  public static final DescriptorPolicy NONE = new DescriptorPolicy(List.of());

  /** The longest text that is read, in characters. */
  public static final int MAX_CHARS = 1 << 16;

  /** Copies the list. */
  public DescriptorPolicy {
    rules = List.copyOf(rules);
  }

  /**
   * Reads a policy.
   *
   * @throws PolicyException naming the line and what is wrong with it
   */
  public static DescriptorPolicy parse(String text) throws PolicyException {
    return new DescriptorPolicy(new PolicyReader().read(text));
  }

  /** These rules, and behind them those of another policy. */
  public DescriptorPolicy then(DescriptorPolicy other) {
    List<DescriptorRule> all = new ArrayList<>(rules);
    all.addAll(other.rules);
    return new DescriptorPolicy(all);
  }

  /** The first rule for a descriptor. */
  public Optional<DescriptorRule> ruleFor(OpenDescriptor descriptor) {
    return rules.stream().filter(rule -> rule.matches(descriptor)).findFirst();
  }

  /** The policy in its format; {@link #parse} reads it. */
  public String text() {
    return rules.stream()
        .map(
            rule ->
                rule.text().entrySet().stream()
                    .map(entry -> entry.getKey() + ": " + entry.getValue() + "\n")
                    .collect(Collectors.joining()))
        .collect(Collectors.joining("---\n"));
  }
}
