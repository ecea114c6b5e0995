package io.pilotlight.zygote;

import io.pilotlight.linux.EventLoop;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.LongSupplier;

/** What a JVM's daemon-side object needs of its host. Thread-safe. */
interface HostServices {
  /** Watches descriptors. */
  EventLoop loop();

  /** CLOCK_MONOTONIC. */
  LongSupplier nanoTime();

  /** Wall-clock time in milliseconds. */
  LongSupplier epochMillis();

  /** The calling thread's own direct buffer for channels. */
  ByteBuffer buffer();

  /** Runs a short task after a while, on a thread of the host's. */
  void later(Duration delay, Runnable task);

  /** The JVM has ended. */
  void forget(FunctionJvm jvm);
}
