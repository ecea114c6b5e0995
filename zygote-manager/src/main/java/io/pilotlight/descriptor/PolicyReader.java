package io.pilotlight.descriptor;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads policies.
 *
 * @see DescriptorPolicy
 */
final class PolicyReader {
  private static final String ANY = "*";

  // The JDK looks up in the network whatever is neither of these two.
  private static final Pattern IPV4 =
      Pattern.compile("((25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(?!$)|$)){4}");
  private static final Pattern IPV6 = Pattern.compile("(?=.*:)[0-9a-fA-F:][0-9a-fA-F:.]*");

  private final List<DescriptorRule> rules = new ArrayList<>();
  private Map<String, Entry> entries = new LinkedHashMap<>();

  /**
   * A line that is not empty.
   *
   * @param key as it was written
   * @param text the value as it was written
   * @param value without quotes around it
   */
  private record Entry(String key, String text, String value, int line) {}

  List<DescriptorRule> read(String text) throws PolicyException {
    if (text.length() > DescriptorPolicy.MAX_CHARS) {
      throw new PolicyException(
          1,
          "the policy has "
              + text.length()
              + " characters; at most "
              + DescriptorPolicy.MAX_CHARS
              + " are allowed");
    }
    int number = 0;
    for (String line : text.split("\\R", -1)) {
      number++;
      String stripped = line.strip();
      if (stripped.equals("---")) {
        endRule();
      } else if (!stripped.isEmpty() && !stripped.startsWith("#")) {
        add(stripped, number);
      }
    }
    endRule();
    return rules;
  }

  private void add(String line, int number) throws PolicyException {
    int colon = line.indexOf(':');
    if (colon <= 0) {
      throw new PolicyException(
          number, "'" + line + "' is no 'key: value'; rules are separated by '---'");
    }
    String key = line.substring(0, colon).strip();
    String written = line.substring(colon + 1).strip();
    String value = unquoted(written);
    if (value.isEmpty()) {
      throw new PolicyException(number, "key '" + key + "' has no value");
    }
    Entry earlier =
        entries.putIfAbsent(key.toLowerCase(Locale.ROOT), new Entry(key, written, value, number));
    if (earlier != null) {
      throw new PolicyException(
          number,
          "key '"
              + key
              + "' was given on line "
              + earlier.line()
              + " already; rules are separated by '---'");
    }
  }

  /** Editors for YAML ask for quotes around a value that begins with an asterisk. */
  private static String unquoted(String value) {
    boolean quoted = isIn(value, "\"") || isIn(value, "'");
    return quoted ? value.substring(1, value.length() - 1) : value;
  }

  private static boolean isIn(String value, String quote) {
    return value.length() >= 2 && value.startsWith(quote) && value.endsWith(quote);
  }

  private void endRule() throws PolicyException {
    if (entries.isEmpty()) {
      return;
    }
    DescriptorKind kind =
        constant(required("type", DescriptorKind.values()), DescriptorKind.values());
    Entry wanted = required("action", DescriptorAction.values());
    DescriptorAction action = constant(wanted, DescriptorAction.values());
    if (!kind.actions().contains(action)) {
      throw new PolicyException(
          wanted.line(),
          "action '" + action + "' is none of type '" + kind + "'; " + kind.actions() + " are");
    }
    List<Predicate<OpenDescriptor>> conditions = new ArrayList<>();
    Map<String, String> text = new LinkedHashMap<>();
    for (Map.Entry<String, Entry> entry : entries.entrySet()) {
      Entry written = entry.getValue();
      text.put(written.key(), written.text());
      switch (entry.getKey()) {
        case "type", "action", "warn" -> {}
        default -> {
          if (!kind.keys().contains(entry.getKey())) {
            throw unknown(written, kind);
          }
          conditions.add(condition(entry.getKey(), written));
        }
      }
    }
    rules.add(new DescriptorRule(kind, action, warn(), text, conditions));
    entries = new LinkedHashMap<>();
  }

  private static PolicyException unknown(Entry entry, DescriptorKind kind) {
    TreeSet<String> known = new TreeSet<>(kind.keys());
    known.addAll(List.of("type", "action", "warn"));
    return new PolicyException(
        entry.line(),
        "type '" + kind + "' has no key '" + entry.key() + "'; it has " + known + " in any case");
  }

  private Entry required(String key, Object[] values) throws PolicyException {
    Entry entry = entries.get(key);
    if (entry == null) {
      int first = entries.values().iterator().next().line();
      throw new PolicyException(
          first, "the rule that begins here has no '" + key + "', one of " + names(values));
    }
    return entry;
  }

  private static <E extends Enum<E>> E constant(Entry entry, E[] values) throws PolicyException {
    for (E value : values) {
      if (value.toString().equalsIgnoreCase(entry.value())) {
        return value;
      }
    }
    throw new PolicyException(
        entry.line(),
        entry.key() + " '" + entry.value() + "' is not known; " + names(values) + " are");
  }

  private static String names(Object[] values) {
    return Arrays.toString(values);
  }

  private boolean warn() throws PolicyException {
    Entry entry = entries.get("warn");
    if (entry == null || entry.value().equalsIgnoreCase("true")) {
      return true;
    }
    if (entry.value().equalsIgnoreCase("false")) {
      return false;
    }
    throw new PolicyException(
        entry.line(), "warn '" + entry.value() + "' is neither true nor false");
  }

  private static Predicate<OpenDescriptor> condition(String key, Entry entry)
      throws PolicyException {
    return switch (key) {
      case "path" -> glob(entry, OpenDescriptor::path);
      case "localpath" -> glob(entry, socket(OpenSocket::localPath));
      case "remotepath" -> glob(entry, socket(OpenSocket::remotePath));
      case "localaddress" -> address(entry, OpenSocket::local);
      case "remoteaddress" -> address(entry, OpenSocket::remote);
      case "localport" -> port(entry, OpenSocket::local);
      case "remoteport" -> port(entry, OpenSocket::remote);
      case "family" -> family(entry);
      case "value" -> value(entry);
      case "regex" -> regex(entry);
      default -> throw new IllegalArgumentException(key);
    };
  }

  private static Function<OpenDescriptor, String> socket(Function<OpenSocket, String> path) {
    return descriptor -> descriptor.socket() == null ? "" : path.apply(descriptor.socket());
  }

  private static Predicate<OpenDescriptor> glob(Entry entry, Function<OpenDescriptor, String> path)
      throws PolicyException {
    TextPattern pattern;
    try {
      pattern = TextPattern.glob(entry.value());
    } catch (IllegalArgumentException e) {
      throw new PolicyException(
          entry.line(), "'" + entry.value() + "' is no glob pattern: " + e.getMessage());
    }
    return descriptor -> {
      String text = path.apply(descriptor);
      return !text.isEmpty() && pattern.matches(text);
    };
  }

  private static Predicate<OpenDescriptor> regex(Entry entry) throws PolicyException {
    TextPattern pattern;
    try {
      pattern = TextPattern.regex(entry.value());
    } catch (IllegalArgumentException e) {
      throw new PolicyException(
          entry.line(), "'" + entry.value() + "' is no regular expression: " + e.getMessage());
    }
    return descriptor -> pattern.matches(descriptor.target());
  }

  private static Predicate<OpenDescriptor> value(Entry entry) throws PolicyException {
    int number = number(entry, "descriptor", Integer.MAX_VALUE);
    return descriptor -> descriptor.number() == number;
  }

  private static Predicate<OpenDescriptor> port(
      Entry entry, Function<OpenSocket, @Nullable InetSocketAddress> end) throws PolicyException {
    if (entry.value().equals(ANY)) {
      return internet(end, address -> true);
    }
    int port = number(entry, "port", 65_535);
    return internet(end, address -> address.getPort() == port);
  }

  private static int number(Entry entry, String what, int most) throws PolicyException {
    try {
      int number = Integer.parseInt(entry.value());
      if (number >= 0 && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // told below
    }
    throw new PolicyException(
        entry.line(),
        entry.key() + " '" + entry.value() + "' is no " + what + " between 0 and " + most);
  }

  private static Predicate<OpenDescriptor> address(
      Entry entry, Function<OpenSocket, @Nullable InetSocketAddress> end) throws PolicyException {
    if (entry.value().equals(ANY)) {
      return internet(end, address -> true);
    }
    if (entry.value().equals("localhost")) {
      return internet(end, address -> address.getAddress().isLoopbackAddress());
    }
    InetAddress wanted = literal(entry);
    return internet(end, address -> address.getAddress().equals(wanted));
  }

  /** Never looked up: what a name stands for could change between here and the freeze. */
  private static InetAddress literal(Entry entry) throws PolicyException {
    String text = entry.value();
    if (IPV4.matcher(text).matches() || IPV6.matcher(text).matches()) {
      try {
        return InetAddress.getByName(text);
      } catch (UnknownHostException e) {
        // told below
      }
    }
    throw new PolicyException(
        entry.line(),
        entry.key() + " '" + text + "' is no IP address; one, 'localhost' or '*' is allowed");
  }

  private static Predicate<OpenDescriptor> internet(
      Function<OpenSocket, @Nullable InetSocketAddress> end,
      Predicate<InetSocketAddress> condition) {
    return descriptor -> {
      OpenSocket socket = descriptor.socket();
      InetSocketAddress address = socket == null ? null : end.apply(socket);
      return address != null && condition.test(address);
    };
  }

  private static Predicate<OpenDescriptor> family(Entry entry) throws PolicyException {
    return switch (entry.value().toLowerCase(Locale.ROOT)) {
      case "unix" ->
          descriptor ->
              descriptor.socket() != null && descriptor.socket().protocol().equals("Unix");
      case "ip", "inet" -> anyEnd(address -> true);
      case "ipv4", "inet4" -> anyEnd(address -> address.getAddress() instanceof Inet4Address);
      case "ipv6", "inet6" -> anyEnd(address -> !(address.getAddress() instanceof Inet4Address));
      default ->
          throw new PolicyException(
              entry.line(),
              "family '"
                  + entry.value()
                  + "' is not known; ip, inet, ipv4, inet4, ipv6, inet6 and unix are");
    };
  }

  private static Predicate<OpenDescriptor> anyEnd(Predicate<InetSocketAddress> condition) {
    return internet(
        socket -> socket.remote() == null ? socket.local() : socket.remote(), condition);
  }
}
