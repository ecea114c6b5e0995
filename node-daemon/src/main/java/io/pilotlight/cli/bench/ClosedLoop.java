package io.pilotlight.cli.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** A number of clients, each of which makes its next call when the last one has been answered. */
final class ClosedLoop {
  private final BenchClock clock;
  private final int clients;
  private final AtomicInteger calls = new AtomicInteger();

  ClosedLoop(BenchClock clock, int clients) {
    this.clock = clock;
    this.clients = clients;
  }

  /** One client. */
  interface Caller extends AutoCloseable {
    /** Makes one call; returns what was wrong with it. */
    Optional<String> call(int n) throws Exception;

    @Override
    default void close() throws IOException {}
  }

  /** Makes a client; called on the thread that is to use it. */
  interface Callers {
    Caller open() throws Exception;
  }

  /**
   * What the clients got done together.
   *
   * @param served calls that were answered rightly
   * @param seconds in which they were
   * @param failures the others, counted by reason
   */
  public record Rate(long served, double seconds, Map<String, Integer> failures) {
    static final Rate NONE = new Rate(0, 0, Map.of());

    double perSecond() {
      return seconds == 0 ? 0 : served / seconds;
    }

    int failed() {
      return failures.values().stream().mapToInt(Integer::intValue).sum();
    }

    Rate plus(Rate other) {
      Map<String, Integer> all = new LinkedHashMap<>(failures);
      other.failures.forEach((reason, count) -> all.merge(reason, count, Integer::sum));
      return new Rate(served + other.served, seconds + other.seconds, all);
    }
  }

  /** Lets the clients call for this long. */
  Rate run(Callers callers, Duration time) throws InterruptedException {
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    try {
      long began = clock.nanos();
      long end = began + time.toNanos();
      List<Future<Rate>> running = new ArrayList<>();
      for (int i = 0; i < clients; i++) {
        running.add(threads.submit(() -> loop(callers, end)));
      }
      Rate sum = Rate.NONE;
      for (Future<Rate> client : running) {
        sum = sum.plus(join(client));
      }
      return new Rate(sum.served(), (clock.nanos() - began) / 1e9, sum.failures());
    } finally {
      threads.shutdownNow();
    }
  }

  private static Rate join(Future<Rate> client) throws InterruptedException {
    try {
      return client.get();
    } catch (ExecutionException e) {
      return new Rate(0, 0, Map.of("a client ended: " + e.getCause(), 1));
    }
  }

  private Rate loop(Callers callers, long end) throws Exception {
    long served = 0;
    Map<String, Integer> failures = new LinkedHashMap<>();
    try (Caller caller = callers.open()) {
      while (clock.nanos() - end < 0) {
        Optional<String> problem = attempt(caller);
        if (problem.isPresent()) {
          failures.merge(problem.get(), 1, Integer::sum);
        } else {
          served++;
        }
      }
    }
    return new Rate(served, 0, failures);
  }

  private Optional<String> attempt(Caller caller) throws InterruptedException {
    try {
      return caller.call(calls.getAndIncrement());
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      return Optional.of(e.toString());
    }
  }
}
