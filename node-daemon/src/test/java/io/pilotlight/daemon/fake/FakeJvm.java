package io.pilotlight.daemon.fake;

import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.Reply;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/** A process in memory, which does what its host's behaviour says. */
public final class FakeJvm implements FunctionJvm {
  private final String id;
  private final FakeHost host;
  private final AtomicInteger recordings = new AtomicInteger();
  private volatile boolean recordedAlive;
  private volatile Map<String, String> secrets = Map.of();
  private final CompletableFuture<ExitStatus> exit = new CompletableFuture<>();

  FakeJvm(String id, FakeHost host) {
    this.id = id;
    this.host = host;
  }

  /** Ends it, as if it had ended by itself. */
  public void end(ExitStatus status) {
    exit.complete(status);
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public long pid() {
    return 4242;
  }

  @Override
  public void secrets(Map<String, String> values) {
    secrets = Map.copyOf(values);
  }

  /** What it was given. */
  public Map<String, String> secrets() {
    return secrets;
  }

  @Override
  public Reply invoke(Invocation invocation, Duration timeout)
      throws NotStartedException, DiedException, TimedOutException {
    return host.behaviour().call(this, invocation);
  }

  @Override
  public boolean alive() {
    return !exit.isDone();
  }

  @Override
  public CompletableFuture<ExitStatus> exit() {
    return exit;
  }

  @Override
  public String outputTail(int maxBytes) {
    return "tail";
  }

  @Override
  public boolean records() {
    return host.recordsFirstCalls() && recordings.get() == 0;
  }

  @Override
  public void recordFirstCall() {
    recordedAlive = alive();
    recordings.incrementAndGet();
  }

  /** Whether its first call was recorded, once, while it lived. */
  public boolean recorded() {
    return recordings.get() == 1 && recordedAlive;
  }

  @Override
  public Optional<FirstCallFaults> firstCallFaults() {
    return Optional.of(new FirstCallFaults(true, 30));
  }

  @Override
  public void markOutput() {}

  @Override
  public String outputSinceMark(int maxBytes) {
    return "written by " + id + "\n";
  }

  @Override
  public OptionalLong privateBytes() {
    return alive() ? OptionalLong.of(1_000_000) : OptionalLong.empty();
  }

  @Override
  public void stop(Duration grace) {
    exit.complete(new ExitStatus.Exited(0));
  }

  @Override
  public void close() {
    exit.complete(new ExitStatus.Signalled(9));
  }
}
