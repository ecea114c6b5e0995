package io.pilotlight.descriptor;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** What a rule is about: the {@code type} of CRaC's descriptor policies. */
public enum DescriptorKind {
  /** A file, a directory, a named pipe, a device: whatever has a path. */
  FILE,
  /** A pipe without a name. */
  PIPE,
  /** A network or Unix socket. */
  SOCKET,
  /** Anything else; with {@code value} or {@code regex} a descriptor of any kind. */
  FILEDESCRIPTOR;

  /** The keys by which a rule of this kind chooses, in lower case. */
  Set<String> keys() {
    return switch (this) {
      case FILE -> Set.of("path");
      case PIPE -> Set.of();
      case SOCKET ->
          Set.of(
              "family",
              "localaddress",
              "localport",
              "localpath",
              "remoteaddress",
              "remoteport",
              "remotepath");
      case FILEDESCRIPTOR -> Set.of("value", "regex");
    };
  }

  /** The actions that a rule of this kind may have. */
  Set<DescriptorAction> actions() {
    EnumSet<DescriptorAction> actions = EnumSet.allOf(DescriptorAction.class);
    if (this == PIPE || this == FILEDESCRIPTOR) {
      actions.remove(DescriptorAction.REOPEN);
    }
    return actions;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
