package io.pilotlight.it.functions;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.crac.CheckpointException;
import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;
import org.crac.RestoreException;

/** Asks for its checkpoint itself, where {@code ASK} says, and tells what became of it. */
public final class Asking implements Function<Map<String, Object>, List<String>>, Resource {
  private final String where = String.valueOf(System.getenv("ASK"));
  private final List<String> events = Collections.synchronizedList(new ArrayList<>());
  private final CountDownLatch returned = new CountDownLatch(1);
  private boolean asked;

  /** Registers, and asks if it is to ask here. */
  public Asking() throws Exception {
    Core.getGlobalContext().register(this);
    if (where.equals("constructor")) {
      ask();
    } else if (where.equals("thread")) {
      Thread thread = new Thread(this::ask, "asks");
      thread.setDaemon(true);
      thread.start();
    }
    if ("constructor".equals(System.getenv("FAIL_AFTER"))) {
      throw new IllegalStateException("not in this process");
    }
  }

  private void ask() {
    events.add("asks in " + ProcessHandle.current().pid());
    try {
      Core.checkpointRestore();
      events.add("goes on in " + ProcessHandle.current().pid());
    } catch (CheckpointException | RestoreException e) {
      events.add(e.getClass().getSimpleName() + ": " + e.getSuppressed()[0]);
    }
    returned.countDown();
  }

  @Override
  public void beforeCheckpoint(Context<? extends Resource> context) {
    events.add("before");
  }

  @Override
  public void afterRestore(Context<? extends Resource> context) {
    events.add("after");
    if ("resource".equals(System.getenv("FAIL_AFTER"))) {
      throw new IllegalStateException("not in this process");
    }
  }

  @Override
  public List<String> apply(Map<String, Object> event) {
    if (where.equals("call") && !asked) {
      asked = true;
      ask();
    }
    if (where.equals("thread") && events.contains("after")) {
      awaitReturn();
    }
    if ("again".equals(event.get("do"))) {
      ask();
    }
    return new ArrayList<>(events);
  }

  private void awaitReturn() {
    try {
      returned.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
