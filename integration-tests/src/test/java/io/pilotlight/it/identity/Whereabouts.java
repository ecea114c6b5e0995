package io.pilotlight.it.identity;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.function.Function;

/** A function that tells what it takes a host's address and its own surroundings to be. */
public final class Whereabouts implements Function<String, Map<String, String>> {
  @Override
  public Map<String, String> apply(String host) {
    try {
      return Map.of(
          "address", InetAddress.getByName(host).getHostAddress(),
          "self", InetAddress.getLocalHost().getHostName(),
          "directory", Path.of("").toAbsolutePath().toString(),
          "userDirectory", System.getProperty("user.dir"),
          "zone", TimeZone.getDefault().getID(),
          "locale", Locale.getDefault().toString());
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }
}
