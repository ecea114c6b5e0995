package io.pilotlight.it.functions;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

/** Functions that cannot be deployed, and some that can only now and then. */
public final class Unfit {
  private Unfit() {}

  /** Its constructor throws. */
  public static final class Constructor implements UnaryOperator<String> {
    /** Throws. */
    public Constructor() {
      throw new UnsupportedOperationException("constructed in vain");
    }

    @Override
    public String apply(String input) {
      return input;
    }
  }

  /** Its static initialiser throws. */
  public static final class Initialiser implements UnaryOperator<String> {
    private static final int NUMBER = Integer.parseInt("no number");

    @Override
    public String apply(String input) {
      return input + NUMBER;
    }
  }

  /** Its initialisation ends the process. */
  public static final class Exits implements UnaryOperator<String> {
    /** Ends the process. */
    public Exits() {
      System.err.println("the last words");
      System.exit(42);
    }

    @Override
    public String apply(String input) {
      return input;
    }
  }

  /** Its initialisation lasts as long as the file that the variable BLOCKER names is there. */
  public static final class Waits implements UnaryOperator<String> {
    /** Waits. */
    public Waits() {
      while (Files.exists(Path.of(System.getenv("BLOCKER")))) {
        LockSupport.parkNanos(20_000_000L);
      }
    }

    @Override
    public String apply(String input) {
      return input;
    }
  }

  /** Keeps a connection to the port that the variable PEER_PORT names. */
  public static final class Connected implements UnaryOperator<String> {
    private final Socket connection;

    /** Connects. */
    public Connected() {
      try {
        connection =
            new Socket(
                InetAddress.getLoopbackAddress(), Integer.parseInt(System.getenv("PEER_PORT")));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public String apply(String input) {
      return input + connection.getPort();
    }
  }
}
