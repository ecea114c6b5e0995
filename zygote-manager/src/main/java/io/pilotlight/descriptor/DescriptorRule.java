package io.pilotlight.descriptor;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One rule. Immutable.
 *
 * @param kind what it is about
 * @param action what is done
 * @param warn whether the function's owner is told of each descriptor that it matched
 * @param text the rule as it can be read again: keys and values
 * @param conditions what a descriptor of that kind must be
 */
public record DescriptorRule(
    DescriptorKind kind,
    DescriptorAction action,
    boolean warn,
    Map<String, String> text,
    List<Predicate<OpenDescriptor>> conditions) {

  /** Copies the list. */
  public DescriptorRule {
    conditions = List.copyOf(conditions);
  }

  boolean matches(OpenDescriptor descriptor) {
    // A raw descriptor that is chosen by its number or its description may be of any kind.
    boolean raw = kind == DescriptorKind.FILEDESCRIPTOR && !conditions.isEmpty();
    return (raw || kind == descriptor.kind())
        && conditions.stream().allMatch(condition -> condition.test(descriptor));
  }

  /** By its text: what that stands for follows from it. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof DescriptorRule rule && text.equals(rule.text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    StringBuilder out = new StringBuilder();
    text.forEach((key, value) -> out.append(out.isEmpty() ? "" : "; ").append(key + ": " + value));
    return out.toString();
  }
}
