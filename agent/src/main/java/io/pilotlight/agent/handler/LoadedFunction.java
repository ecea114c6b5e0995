package io.pilotlight.agent.handler;

import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.Frame.InvokeAttributes;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A function whose classes are initialised and whose handler is constructed. */
public final class LoadedFunction {
  private final HostedFunction function;
  private final FunctionLoader loader;
  private final JsonBindings bindings;
  private final HandlerFinder.Found found;

  private LoadedFunction(
      HostedFunction function,
      FunctionLoader loader,
      JsonBindings bindings,
      HandlerFinder.Found found) {
    this.function = function;
    this.loader = loader;
    this.bindings = bindings;
    this.found = found;
  }

  /**
   * Loads the function in the calling thread, whose context class loader becomes the function's.
   *
   * @throws HostingException naming the class or method at fault
   */
  public static LoadedFunction load(Frame.Init init, HostedFunction function, FunctionLoader loader)
      throws HostingException {
    HandlerName name = HandlerName.parse(init.handler());
    Thread.currentThread().setContextClassLoader(loader);
    JsonBindings bindings = new JsonBindings(loader);
    HandlerFinder.Found found = new HandlerFinder(loader, bindings).find(name);
    return new LoadedFunction(function, loader, bindings, found);
  }

  /** What the handler was recognised as. */
  public String kind() {
    return found.kind();
  }

  /** The handler, an object of the function's class; null if its method is static. */
  public @Nullable Object instance() {
    return found.instance();
  }

  /** Calls the handler once, and leaves its answer in {@code reply}. */
  public void call(Frame.Invoke invoke, Reply reply) throws CallFault {
    Thread thread = Thread.currentThread();
    if (thread.getContextClassLoader() != loader) {
      thread.setContextClassLoader(loader);
    }
    Call call = new Call(function, invoke, clientContext(invoke));
    found.handler().call(call, invoke.payload(), reply);
  }

  private @Nullable Map<String, Object> clientContext(Frame.Invoke invoke) throws CallFault {
    String json = invoke.attributes().get(InvokeAttributes.CLIENT_CONTEXT);
    if (json == null || json.isEmpty()) {
      return null;
    }
    try {
      return bindings.clientContext(json);
    } catch (RuntimeException e) {
      throw CallFault.input("client context, which is a JSON object", e);
    }
  }

  /** Finishes what the calls so far have left for the next one to do. */
  public void settle() {
    bindings.settle();
  }
}
