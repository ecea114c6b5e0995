package io.pilotlight.cli.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pilotlight.cli.Start;
import java.io.IOException;
import java.net.URI;
import java.util.Optional;

/** A client of the daemon that leaves the start to it. */
final class DaemonCaller implements ClosedLoop.Caller {
  private final MeasuringClient http;
  private final String function;
  private final Workload workload;

  DaemonCaller(URI daemon, BenchClock clock, String function, Workload workload) {
    this.http = new MeasuringClient(daemon, clock);
    this.function = function;
    this.workload = workload;
  }

  @Override
  public Optional<String> call(int n) throws IOException {
    MeasuringClient.Exchange answer = http.invoke(function, Start.AUTO, workload.payload(n));
    return answer.status() == 200
        ? workload.problem(n, answer.body())
        : Optional.of("status " + answer.status() + ": " + new String(answer.body(), UTF_8));
  }

  @Override
  public void close() throws IOException {
    http.close();
  }
}
