package io.pilotlight.agent.quiesce;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;

/** Collects garbage, and sees that it happened. */
interface Collector {
  /** False if no garbage was collected within {@code timeoutMillis}. */
  boolean collect(long timeoutMillis);

  /** By {@link System#gc()}. */
  final class OfThisJvm implements Collector {
    /**
     * Gives a new object up, and waits until its reference was processed: only then has the
     * collector found it unreachable, and have the references found with it been handed on.
     */
    @Override
    public boolean collect(long timeoutMillis) {
      ReferenceQueue<Object> queue = new ReferenceQueue<>();
      PhantomReference<Object> given = new PhantomReference<>(new Object(), queue);
      System.gc();
      try {
        return queue.remove(timeoutMillis) == given;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }
}
