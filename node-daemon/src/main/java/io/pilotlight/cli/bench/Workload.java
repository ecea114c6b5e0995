package io.pilotlight.cli.bench;

import java.util.Optional;

/** The calls that a benchmark makes. */
public interface Workload {
  /** The event of the {@code n}th call: differs from call to call where the function allows. */
  byte[] payload(int n);

  /** What is wrong with the answer to the {@code n}th call; empty if it is right. */
  Optional<String> problem(int n, byte[] answer);
}
