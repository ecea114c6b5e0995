package io.pilotlight.agent.crac;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.crac.CheckpointException;
import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;
import org.crac.RestoreException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What the documentation of package org.crac promises, a test for each sentence, through org.crac
 * 1.5.0 as a function uses it. The sentences are those of its package summary ("Description" and
 * "Global Context Properties") and of {@code Core}.
 */
@Timeout(60)
class OrgCracContractTest {
  private final List<String> events = Collections.synchronizedList(new ArrayList<>());

  /** Resources are held weakly: these are the test's. */
  private final List<Resource> resources = new ArrayList<>();

  private Checkpoint checkpoint;

  /** Of all tests. org.crac keeps what stands for a resource after the resource is gone. */
  private static final List<WeakReference<Resource>> registered =
      Collections.synchronizedList(new ArrayList<>());

  @BeforeEach
  void noResourcesOfAnotherTest() throws InterruptedException {
    awaitCollection();
    begin(true, () -> events.add("frozen"));
  }

  /** The implementation holds the last checkpoint, and so this object. */
  @AfterEach
  void forgetResources() {
    resources.clear();
  }

  private static void awaitCollection() throws InterruptedException {
    while (registered.stream().anyMatch(reference -> !reference.refersTo(null))) {
      System.gc();
      Thread.sleep(1);
    }
    registered.clear();
  }

  private void begin(boolean zygote, Checkpoint.Freezing freezing) {
    checkpoint = new Checkpoint(io.pilotlight.crac.Core.context(), zygote, freezing);
    io.pilotlight.crac.Core.serve(checkpoint);
  }

  /** Tells of what it is told, and then does what it is to. */
  private class Recording implements Resource {
    private final String name;

    Recording(String name) {
      this.name = name;
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws Exception {
      events.add("before " + name);
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) throws Exception {
      events.add("after " + name);
    }
  }

  private final class Throwing extends Recording {
    private final Throwable before;
    private final Throwable after;

    Throwing(String name, Throwable before, Throwable after) {
      super(name);
      this.before = before;
      this.after = after;
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws Exception {
      super.beforeCheckpoint(context);
      raise(before);
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) throws Exception {
      super.afterRestore(context);
      raise(after);
    }
  }

  private static void raise(Throwable thrown) throws Exception {
    if (thrown instanceof Error error) {
      throw error;
    } else if (thrown != null) {
      throw (Exception) thrown;
    }
  }

  /** As the documentation asks of one who defines a context. */
  private static final class Nested extends Context<Resource> {
    private final List<Resource> mine = new ArrayList<>();

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException {
      CheckpointException exception = new CheckpointException();
      for (Resource resource : mine) {
        try {
          resource.beforeCheckpoint(this);
        } catch (Exception e) {
          exception.addSuppressed(e);
        }
      }
      if (exception.getSuppressed().length > 0) {
        throw exception;
      }
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) throws RestoreException {
      RestoreException exception = new RestoreException();
      for (Resource resource : mine) {
        try {
          resource.afterRestore(this);
        } catch (Exception e) {
          exception.addSuppressed(e);
        }
      }
      if (exception.getSuppressed().length > 0) {
        throw exception;
      }
    }

    @Override
    public void register(Resource resource) {
      mine.add(resource);
    }
  }

  private <R extends Resource> R register(R resource) {
    resources.add(resource);
    registered.add(new WeakReference<>(resource));
    Core.getGlobalContext().register(resource);
    return resource;
  }

  private static CheckpointException refused() {
    return catchThrowableOfType(CheckpointException.class, Core::checkpointRestore);
  }

  private static RestoreException failed() {
    return catchThrowableOfType(RestoreException.class, Core::checkpointRestore);
  }

  // "The Context maintains a weak reference to registered Resource."
  @Test
  void aResourceThatNobodyHoldsIsNotKept() throws Exception {
    register(new Recording("gone"));
    resources.clear();
    awaitCollection();
    Core.checkpointRestore();
    assertThat(events).containsExactly("frozen");
  }

  // "Order of checkpoint notification is the reverse order of registration. Restore notification
  // order is the reverse of checkpoint one, that is, forward order of registration."
  @Test
  void orderIsReverseAndThenForward() throws Exception {
    register(new Recording("1"));
    register(new Recording("2"));
    register(new Recording("3"));
    Core.checkpointRestore();
    assertThat(events)
        .containsExactly(
            "before 3", "before 2", "before 1", "frozen", "after 1", "after 2", "after 3");
  }

  // "Resource is always notified of checkpoint, regardless of other Resource notifications have
  // thrown an exception or not."
  @Test
  void everyResourceIsToldOfTheCheckpointWhateverOthersThrow() {
    register(new Recording("1"));
    register(new Throwing("2", new Exception("no"), null));
    register(new Throwing("3", new AssertionError("no"), null));
    assertThat(refused()).isNotNull();
    assertThat(events).startsWith("before 3", "before 2", "before 1");
  }

  // "Resource is always notified of restore, regardless of its checkpoint or others' restore
  // notification have thrown an exception or not."
  @Test
  void everyResourceIsToldOfTheRestoreWhateverItOrOthersThrew() {
    register(new Throwing("1", new Exception("no"), new Exception("no")));
    register(new Throwing("2", null, new StackOverflowError()));
    register(new Recording("3"));
    assertThat(refused()).isNotNull();
    assertThat(events).endsWith("after 1", "after 2", "after 3");
  }

  // "When an exception is thrown during notification, it is caught by the Context and is suppressed
  // by a CheckpointException or RestoreException, depends on the throwing method."
  @Test
  void whatAResourceThrowsIsSuppressedByTheExceptionOfItsMethod() {
    Exception before = new Exception("before");
    Throwing first = register(new Throwing("1", before, null));
    assertThat(refused().getSuppressed()).containsExactly(before);
    Reference.reachabilityFence(first);
  }

  @Test
  void whatAResourceThrowsAfterTheRestoreIsSuppressedByARestoreException() {
    Exception after = new Exception("after");
    register(new Throwing("1", null, after));
    assertThat(failed().getSuppressed()).containsExactly(after);
    assertThat(events).containsExactly("before 1", "frozen", "after 1");
  }

  // "When the Resource is a Context and it throws CheckpointException or RestoreException,
  // exceptions suppressed by the original exception are suppressed by another CheckpointException
  // or RestoreException, depends on the throwing method."
  @Test
  void whatIsSuppressedByANestedContextsExceptionIsSuppressedByTheOuterOne() {
    Exception one = new Exception("one");
    Exception two = new Exception("two");
    Nested nested = register(new Nested());
    nested.register(new Throwing("a", one, null));
    nested.register(new Throwing("b", two, null));
    assertThat(refused().getSuppressed()).containsExactly(one, two);
  }

  @Test
  void whatIsSuppressedByANestedContextsRestoreExceptionIsSuppressedByTheOuterOne() {
    Exception one = new Exception("one");
    Exception two = new Exception("two");
    Nested nested = register(new Nested());
    nested.register(new Throwing("a", null, one));
    nested.register(new Throwing("b", null, two));
    assertThat(failed().getSuppressed()).containsExactly(one, two);
  }

  /** Which a context of the documentation's properties does not throw, and a resource may. */
  @Test
  void aNestedExceptionThatSuppressesNothingIsNotLost() {
    CheckpointException bare = new CheckpointException("bare");
    register(new Throwing("1", bare, null));
    assertThat(refused().getSuppressed()).containsExactly(bare);
  }

  // "All exceptions thrown by Resource are suppressed by CheckpointException or RestoreException
  // thrown by the Context."
  @Test
  void allExceptionsAreSuppressed() {
    Exception one = new Exception("one");
    Exception two = new Exception("two");
    register(new Throwing("1", one, null));
    register(new Throwing("2", two, null));
    assertThat(refused().getSuppressed()).containsExactly(two, one);
  }

  // "If the global Context throws an exception during checkpoint notification then restore
  // notification starts immediately without the image creation."
  @Test
  void thereIsNoCheckpointIfAResourceCannotHaveIt() {
    register(new Recording("1"));
    register(new Throwing("2", new Exception("no"), null));
    assertThat(refused()).isNotNull();
    assertThat(events).containsExactly("before 2", "before 1", "after 1", "after 2");
  }

  // "In this case, exceptions from checkpoint and restore notifications are provided as suppressed
  // ones by CheckpointException."
  @Test
  void withoutACheckpointBothKindsOfExceptionsAreSuppressedByOne() {
    Exception before = new Exception("before");
    Exception after = new Exception("after");
    register(new Throwing("1", before, after));
    assertThat(refused().getSuppressed()).containsExactly(before, after);
  }

  @Test
  void aCheckpointCanBeAskedForAgainWhenThereWasNone() throws Exception {
    Resource stubborn = register(new Throwing("1", new Exception("no"), null));
    assertThat(refused()).isNotNull();
    resources.remove(stubborn);
    stubborn = null;
    awaitCollection();
    Core.checkpointRestore();
    assertThat(events).endsWith("frozen");
  }

  // "one can define a custom Context and register it with the global one"; "Since a Context may be
  // registered with other Context, they form a Context hierarchy."
  @Test
  void contextsWithinContextsPassOnWhatTheyAreTold() throws Exception {
    Nested outer = register(new Nested());
    Nested inner = new Nested();
    outer.register(inner);
    inner.register(new Recording("deep"));
    Core.checkpointRestore();
    assertThat(events).containsExactly("before deep", "frozen", "after deep");
  }

  // Resource: "context - Context providing notification"
  @Test
  void aResourceIsGivenTheContextThatTellsIt() throws Exception {
    List<Context<? extends Resource>> given = new ArrayList<>();
    register(
        new Resource() {
          @Override
          public void beforeCheckpoint(Context<? extends Resource> context) {
            given.add(context);
          }

          @Override
          public void afterRestore(Context<? extends Resource> context) {
            given.add(context);
          }
        });
    Core.checkpointRestore();
    assertThat(given).containsExactly(Core.getGlobalContext(), Core.getGlobalContext());
  }

  // Context.register: "throws NullPointerException if resource is null". org.crac itself makes a
  // resource of it; whoever calls the implementation is told.
  @Test
  void nothingCannotBeRegistered() {
    assertThatNullPointerException()
        .isThrownBy(() -> io.pilotlight.crac.Core.getGlobalContext().register(null));
  }

  // Core.checkpointRestore: "UnsupportedOperationException if checkpoint/restore is not supported,
  // no notification performed and the execution continues in the original Java instance." org.crac
  // 1.5.0 hands on an implementation's exceptions of this kind as suppressed ones.
  @Test
  void aProcessThatServesRefusesAndTellsNobody() {
    register(new Recording("1"));
    begin(false, () -> events.add("frozen"));
    checkpoint.initialised();
    assertThat(refused().getSuppressed()[0].getCause())
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("serves requests");
    assertThat(events).isEmpty();
  }

  // Core.checkpointRestore: "Requests checkpoint and returns upon a successful restore."
  @Test
  void theCallReturnsInTheRestoredProcess() throws Exception {
    register(new Recording("1"));
    Core.checkpointRestore();
    events.add("returned");
    assertThat(events).containsExactly("before 1", "frozen", "after 1", "returned");
  }

  @Test
  void inAColdProcessTheCallTellsOfBothAndReturns() throws Exception {
    begin(false, () -> events.add("frozen"));
    register(new Recording("1"));
    Core.checkpointRestore();
    assertThat(events).containsExactly("before 1", "after 1");
  }

  @Test
  void aCallOnAnotherThreadReturnsWhenTheHostHasBeenFrozenAndRestored() throws Exception {
    register(new Recording("1"));
    checkpoint.initialised();
    CompletableFuture<Void> call = call();
    while (!checkpoint.concernsTheFunction() || !checkpoint.makeIfAwaited()) {
      Thread.onSpinWait();
    }
    assertThat(call).isNotDone();
    assertThat(events).containsExactly("before 1");
    checkpoint.restoreIfPending();
    call.get(30, TimeUnit.SECONDS);
    assertThat(events).containsExactly("before 1", "after 1");
  }

  @Test
  void aCallOnAnotherThreadIsToldOfWhatResourcesThrow() throws Exception {
    Exception after = new Exception("after");
    register(new Throwing("1", null, after));
    checkpoint.initialised();
    CompletableFuture<Void> call = call();
    while (!checkpoint.makeIfAwaited()) {
      Thread.onSpinWait();
    }
    checkpoint.restoreIfPending();
    assertThat(call)
        .failsWithin(30, TimeUnit.SECONDS)
        .withThrowableThat()
        .havingCause()
        .satisfies(e -> assertThat(e.getSuppressed()).containsExactly(after));
  }

  private static CompletableFuture<Void> call() {
    CompletableFuture<Void> call = new CompletableFuture<>();
    new Thread(
            () -> {
              try {
                Core.checkpointRestore();
                call.complete(null);
              } catch (Exception e) {
                call.completeExceptionally(e);
              }
            },
            "asks for a checkpoint")
        .start();
    return call;
  }

  @Test
  void aCheckpointWithinACheckpointIsRefused() throws Exception {
    List<Throwable> thrown = new ArrayList<>();
    register(
        new Recording("1") {
          @Override
          public void beforeCheckpoint(Context<? extends Resource> context) {
            thrown.addAll(Arrays.asList(refused().getSuppressed()));
          }
        });
    Core.checkpointRestore();
    assertThat(thrown)
        .singleElement()
        .isInstanceOf(IllegalStateException.class)
        .asString()
        .contains("in progress");
    assertThat(events).containsExactly("frozen", "after 1");
  }

  @Test
  void aCheckpointBesideACheckpointIsRefused() throws Exception {
    List<Throwable> thrown = new ArrayList<>();
    register(
        new Recording("1") {
          @Override
          public void beforeCheckpoint(Context<? extends Resource> context) throws Exception {
            call().exceptionally(e -> add(e)).get(30, TimeUnit.SECONDS);
          }

          private Void add(Throwable e) {
            thrown.addAll(Arrays.asList(e.getSuppressed()));
            return null;
          }
        });
    Core.checkpointRestore();
    assertThat(thrown).singleElement().isInstanceOf(IllegalStateException.class);
  }

  /** Code that warms the function ahead of its checkpoint may be the first to need a resource. */
  @Test
  void aResourceThatIsRegisteredWhileOthersAreToldIsToldToo() throws Exception {
    register(new Recording("1"));
    register(
        new Recording("2") {
          @Override
          public void beforeCheckpoint(Context<? extends Resource> context) throws Exception {
            super.beforeCheckpoint(context);
            register(new Recording("late"));
          }
        });
    Core.checkpointRestore();
    assertThat(events)
        .containsExactly(
            "before 2", "before 1", "before late", "frozen", "after 1", "after 2", "after late");
  }

  @Test
  void aRegistrationBetweenCheckpointAndRestoreWaitsForTheRestore() throws Exception {
    CountDownLatch registered = new CountDownLatch(1);
    Thread late =
        new Thread(
            () -> {
              register(new Recording("late"));
              events.add("registered");
              registered.countDown();
            },
            "registers late");
    begin(
        true,
        () -> {
          late.start();
          while (late.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
          }
          events.add("frozen");
        });
    register(
        new Recording("1") {
          @Override
          public void afterRestore(Context<? extends Resource> context) throws Exception {
            // It would wait for ever if registrations went on only after the last resource.
            assertThat(registered.await(30, TimeUnit.SECONDS)).isTrue();
            super.afterRestore(context);
          }
        });
    Core.checkpointRestore();
    assertThat(events).containsExactly("before 1", "frozen", "registered", "after 1");
  }

  @Test
  void whatFailedIsNamedByTheFunctionsOwnClass() throws Exception {
    register(new Throwing("1", new IllegalStateException("connection open"), null));
    assertThatExceptionOfType(io.pilotlight.crac.CheckpointException.class)
        .isThrownBy(checkpoint::make)
        .withMessage(
            "beforeCheckpoint of "
                + Throwing.class.getName()
                + " threw java.lang.IllegalStateException: connection open");
  }
}
