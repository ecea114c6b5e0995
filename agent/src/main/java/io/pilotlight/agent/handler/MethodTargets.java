package io.pilotlight.agent.handler;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

/** Makes a method callable in one general shape, whatever it takes and returns. */
final class MethodTargets {
  private final HandlerMethod method;
  private final @Nullable Object receiver;
  private final @Nullable AwsRuntime aws;

  /** {@code receiver} is null for a static method, {@code aws} where there is no Context. */
  MethodTargets(HandlerMethod method, @Nullable Object receiver, @Nullable AwsRuntime aws) {
    this.method = method;
    this.receiver = receiver;
    this.aws = aws;
  }

  ValueTarget value() throws HostingException {
    MethodHandle handle = bound();
    if (!method.takesValue()) {
      handle = MethodHandles.dropArguments(handle, 0, Object.class);
    }
    if (!method.takesContext()) {
      handle = MethodHandles.dropArguments(handle, 1, Object.class);
    }
    MethodType shape = MethodType.methodType(Object.class, Object.class, Object.class);
    return new ValueMethod(handle.asType(shape), method.takesContext() ? aws : null);
  }

  StreamTarget stream() throws HostingException {
    MethodHandle handle = bound();
    if (!method.takesInput()) {
      handle = MethodHandles.dropArguments(handle, 0, InputStream.class);
    }
    if (!method.takesOutput()) {
      handle = MethodHandles.dropArguments(handle, 1, OutputStream.class);
    }
    if (!method.takesContext()) {
      handle = MethodHandles.dropArguments(handle, 2, Object.class);
    }
    MethodType shape =
        MethodType.methodType(void.class, InputStream.class, OutputStream.class, Object.class);
    return new StreamMethod(
        handle.asType(shape), method.takesContext() ? aws : null, method.takesOutput());
  }

  private MethodHandle bound() throws HostingException {
    try {
      // A public method may come from a superclass that is not public.
      method.method().setAccessible(true);
      MethodHandle handle = MethodHandles.lookup().unreflect(method.method()).asFixedArity();
      return receiver == null ? handle : handle.bindTo(receiver);
    } catch (IllegalAccessException e) {
      throw HostingException.handler(
          IllegalAccessException.class, method.method() + " cannot be called: " + e.getMessage());
    }
  }

  private record ValueMethod(MethodHandle handle, @Nullable AwsRuntime aws) implements ValueTarget {
    @Override
    public @Nullable Object apply(@Nullable Object input, Call call) throws Throwable {
      Object context = aws == null ? null : aws.context(call);
      return (Object) handle.invokeExact(input, context);
    }
  }

  private record StreamMethod(MethodHandle handle, @Nullable AwsRuntime aws, boolean answers)
      implements StreamTarget {
    private static final byte[] NULL = {'n', 'u', 'l', 'l'};

    @Override
    public void handle(InputStream input, OutputStream output, Call call) throws Throwable {
      Object context = aws == null ? null : aws.context(call);
      handle.invokeExact(input, output, context);
      if (!answers) {
        output.write(NULL);
      }
    }
  }
}
