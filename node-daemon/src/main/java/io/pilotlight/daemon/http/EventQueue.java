package io.pilotlight.daemon.http;

import io.pilotlight.daemon.function.ServedFunction;
import io.pilotlight.daemon.route.Call;
import io.pilotlight.daemon.route.Outcome;
import io.pilotlight.daemon.route.Router;
import io.pilotlight.daemon.route.Served;
import io.pilotlight.daemon.time.Background;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.Reply;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Invocations whose caller does not wait. They are run as they come, a few of each function at
 * once, so that a slow function holds up nobody's but its own. How many wait, and how many bytes,
 * is bounded. An event that a process had is never run again; one that no process could have is
 * tried again for a while, then dropped and logged. Thread-safe.
 */
public final class EventQueue {
  private static final Logger log = LoggerFactory.getLogger(EventQueue.class);
  private static final int MAX_RUNNING_PER_FUNCTION = 8;
  private static final Duration RETRY_PAUSE = Duration.ofMillis(200);
  private static final Duration MAX_AGE = Duration.ofMinutes(5);

  private final Router router;
  private final NodeClock clock;
  private final Background background;
  private final InFlight accepted;
  private final long maxBytes;
  private final AtomicLong bytes = new AtomicLong();
  private final Map<ServedFunction, Lane> lanes = new ConcurrentHashMap<>();

  /**
   * As described.
   *
   * @param maxEvents how many may wait or run
   * @param maxBytes how many bytes of payload they may have together
   */
  public EventQueue(
      Router router, NodeClock clock, Background background, int maxEvents, long maxBytes) {
    this.router = router;
    this.clock = clock;
    this.background = background;
    this.accepted = new InFlight(maxEvents);
    this.maxBytes = maxBytes;
  }

  /** What has been accepted and has not ended, for the daemon's graceful end. */
  public InFlight accepted() {
    return accepted;
  }

  private record Event(Invocation invocation, long acceptedNanos) {}

  /** The events of one function. */
  private static final class Lane {
    private final ConcurrentLinkedQueue<Event> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger runners = new AtomicInteger();
  }

  /** Accepts an event; false if too much is waiting, or the daemon is stopping. */
  boolean offer(ServedFunction function, Invocation invocation) {
    if (accepted.enter() != InFlight.Admission.ADMITTED) {
      return false;
    }
    int length = invocation.payload().length;
    if (bytes.addAndGet(length) > maxBytes) {
      release(invocation);
      return false;
    }
    Lane lane = lanes.computeIfAbsent(function, added -> new Lane());
    lane.waiting.add(new Event(invocation, clock.nanoTime()));
    startRunner(function, lane);
    return true;
  }

  private void release(Invocation invocation) {
    bytes.addAndGet(-invocation.payload().length);
    accepted.leave();
  }

  private void startRunner(ServedFunction function, Lane lane) {
    for (int count = lane.runners.get();
        count < MAX_RUNNING_PER_FUNCTION && !lane.waiting.isEmpty();
        count = lane.runners.get()) {
      if (lane.runners.compareAndSet(count, count + 1)) {
        background.run(() -> runAll(function, lane));
        return;
      }
    }
  }

  private void runAll(ServedFunction function, Lane lane) {
    boolean pause = false;
    try {
      for (Event event = lane.waiting.poll(); event != null && !pause; ) {
        pause = !run(function, lane, event);
        event = pause ? null : lane.waiting.poll();
      }
    } finally {
      lane.runners.decrementAndGet();
    }
    if (pause) {
      background.after(RETRY_PAUSE, () -> startRunner(function, lane));
    } else if (lane.waiting.isEmpty()) {
      lanes.computeIfPresent(
          function,
          (key, known) -> known.waiting.isEmpty() && known.runners.get() == 0 ? null : known);
    } else {
      startRunner(function, lane); // one came between the last look and the end
    }
  }

  /** False if no process could have it for now; it is in the queue again then. */
  private boolean run(ServedFunction function, Lane lane, Event event) {
    Call call = new Call(event.invocation(), null, event.acceptedNanos(), false);
    boolean again = false;
    try (Served served = router.invoke(function, call)) {
      Outcome outcome = served.outcome();
      boolean young = clock.nanoTime() - event.acceptedNanos() < MAX_AGE.toNanos();
      again = retriable(outcome) && young && !function.removed();
      if (again) {
        lane.waiting.add(event);
      } else {
        report(function, event, outcome);
      }
    } finally {
      if (!again) {
        release(event.invocation());
      }
    }
    return !again;
  }

  private static boolean retriable(Outcome outcome) {
    return outcome instanceof Outcome.Throttled
        || (outcome instanceof Outcome.Unavailable unavailable
            && unavailable.reason() != Outcome.Reason.STOPPING);
  }

  private static void report(ServedFunction function, Event event, Outcome outcome) {
    String failure = null;
    if (outcome instanceof Outcome.Answered answered) {
      failure = answered.reply() instanceof Reply.Fault fault ? fault.failure().summary() : null;
    } else if (outcome instanceof Outcome.Died died) {
      failure = died.cause().getMessage();
    } else {
      failure = outcome.toString();
    }
    if (failure != null) {
      log.atWarn()
          .addKeyValue("function", function.name())
          .addKeyValue("request", event.invocation().requestId())
          .addKeyValue("cause", failure)
          .log("event failed");
    }
  }
}
