package io.pilotlight.it.program;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.crac.CheckpointException;
import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;
import org.crac.RestoreException;

/** A program that does what it reads on stdin, one word and its operand on a line. */
public final class Talking implements Resource {
  private static final long LATE_NANOS = 20_000_000_000L;

  private volatile long ticked;
  private ServerSocket listening;

  /** Begins with telling its process. */
  public static void main(String[] arguments) throws Exception {
    Talking talking = new Talking();
    Core.getGlobalContext().register(talking);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
    System.out.println("arguments " + Arrays.asList(arguments));
    System.out.println("process " + ProcessHandle.current().pid());
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ", 2);
      talking.obey(words[0], words.length > 1 ? words[1] : "");
    }
    System.out.println("end of input");
  }

  /** What a restored one may be told to run first. */
  public static final class Second {
    private Second() {}

    /** Tells its arguments. */
    public static void main(String[] arguments) {
      System.out.println("second " + Arrays.asList(arguments));
    }
  }

  private void obey(String word, String operand) throws IOException {
    switch (word) {
      case "env" -> System.out.println("env " + System.getenv(operand));
      case "property" -> System.out.println("property " + System.getProperty(operand));
      case "uuid" -> System.out.println("uuid " + UUID.randomUUID());
      case "process" -> System.out.println("process " + ProcessHandle.current().pid());
      case "tick" -> tick();
      case "clock" -> clock();
      case "error" -> System.err.println("error " + operand);
      case "exit" -> System.exit(Integer.parseInt(operand));
      case "listen" -> {
        listening = new ServerSocket(0);
        System.out.println("listens");
      }
      case "close" -> {
        listening.close();
        System.out.println("closed");
      }
      case "checkpoint" -> checkpoint();
      default -> System.out.println("unknown " + word);
    }
  }

  private void tick() {
    Thread thread =
        new Thread(
            () -> {
              while (true) {
                LockSupport.parkNanos(50_000_000);
                ticked = System.nanoTime();
              }
            });
    thread.setDaemon(true);
    thread.start();
    System.out.println("ticks");
  }

  /** Tells the monotonic clock in seconds, when a thread has woken by it. */
  private void clock() {
    long start = System.nanoTime();
    while (ticked <= start && System.nanoTime() - start < LATE_NANOS) {
      Thread.onSpinWait();
    }
    boolean late = ticked <= start;
    System.out.println("clock " + (late ? "stands" : start / 1_000_000_000));
  }

  private static void checkpoint() {
    try {
      Core.checkpointRestore();
      System.out.println("returned");
    } catch (CheckpointException | RestoreException e) {
      System.out.println("refused " + Arrays.asList(e.getSuppressed()));
    }
  }

  @Override
  public void beforeCheckpoint(Context<? extends Resource> context) {
    System.out.println("before");
  }

  @Override
  public void afterRestore(Context<? extends Resource> context) {
    System.out.println("after " + System.getenv("GREETING"));
  }
}
