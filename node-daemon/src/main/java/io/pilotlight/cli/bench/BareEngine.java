package io.pilotlight.cli.bench;

import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.Reply;
import io.pilotlight.zygote.Zygote;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;

/** Forks, runs and reaps without a daemon around it: what a daemon's throughput is held against. */
final class BareEngine implements ClosedLoop.Caller {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final Zygote zygote;
  private final Workload workload;

  BareEngine(Zygote zygote, Workload workload) {
    this.zygote = zygote;
    this.workload = workload;
  }

  @Override
  public Optional<String> call(int n) throws Exception {
    Reply reply;
    Future<ExitStatus> exit;
    try (FunctionJvm clone = zygote.fork()) {
      exit = clone.exit();
      Invocation invocation = new Invocation("bare-" + n, Map.of(), workload.payload(n));
      reply = clone.invoke(invocation, TIMEOUT);
    }
    exit.get();
    return reply instanceof Reply.Success success
        ? workload.problem(n, success.payload())
        : Optional.of(((Reply.Fault) reply).failure().summary());
  }
}
