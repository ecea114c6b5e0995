package io.pilotlight.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The arguments of execve(2) as they lie in memory: two lists of addresses, then the strings. */
final class ProgramImage {
  private final List<byte[]> arguments = new ArrayList<>();
  private final List<byte[]> variables = new ArrayList<>();

  ProgramImage(List<String> command, Map<String, String> environment) {
    command.forEach(argument -> arguments.add(cString(argument)));
    environment.forEach((name, value) -> variables.add(cString(name + "=" + value)));
  }

  private static byte[] cString(String text) {
    return (text + "\0").getBytes(StandardCharsets.UTF_8);
  }

  /** Its size. */
  int bytes() {
    return addresses()
        + arguments.stream().mapToInt(text -> text.length).sum()
        + variables.stream().mapToInt(text -> text.length).sum();
  }

  private int addresses() {
    return (arguments.size() + 1 + variables.size() + 1) * Long.BYTES;
  }

  /** As it is at an address: what {@code argv} points at is its begin. */
  ByteBuffer at(long base) {
    ByteBuffer image = ByteBuffer.allocateDirect(bytes()).order(ByteOrder.nativeOrder());
    int text = addresses();
    for (List<byte[]> strings : List.of(arguments, variables)) {
      for (byte[] string : strings) {
        image.putLong(base + text).put(text, string);
        text += string.length;
      }
      image.putLong(0);
    }
    return image.clear();
  }

  /** What {@code path} points at: the first argument. */
  long path(long base) {
    return base + addresses();
  }

  /** What {@code envp} points at. */
  long environment(long base) {
    return base + (long) (arguments.size() + 1) * Long.BYTES;
  }
}
