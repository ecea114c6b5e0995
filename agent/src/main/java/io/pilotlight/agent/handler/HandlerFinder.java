package io.pilotlight.agent.handler;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Finds what a handler's name means among a function's classes, and makes it callable. */
final class HandlerFinder {
  private static final String AWS = "com.amazonaws.services.lambda.runtime.";
  private static final String REQUEST_HANDLER = AWS + "RequestHandler";
  private static final String STREAM_HANDLER = AWS + "RequestStreamHandler";
  private static final String CONTEXT = AWS + "Context";
  private static final String HANDLE_REQUEST = "handleRequest";

  private final FunctionLoader loader;
  private final JsonBindings bindings;

  HandlerFinder(FunctionLoader loader, JsonBindings bindings) {
    this.loader = loader;
    this.bindings = bindings;
  }

  /** A handler, and what it was recognised as. */
  record Found(String kind, Handler handler, @Nullable Object instance) {}

  Found find(HandlerName name) throws HostingException {
    Class<?> type = load(name);
    try {
      String method = name.method();
      if (method == null || isInterfaceMethod(type, method)) {
        return ofInterface(type);
      }
      return ofMethod(type, method);
    } catch (LinkageError | TypeNotPresentException e) {
      throw unloadable(name.className(), e);
    }
  }

  private Class<?> load(HandlerName name) throws HostingException {
    String className = name.className();
    try {
      return Class.forName(className, false, loader);
    } catch (ClassNotFoundException e) {
      throw HostingException.handler(
          ClassNotFoundException.class,
          "class "
              + className
              + " is in none of the function's jars and layers ("
              + loader.describe()
              + "); check the handler's spelling and the jars");
    } catch (LinkageError e) {
      throw unloadable(className, e);
    }
  }

  private HostingException unloadable(String className, Throwable e) {
    String reason =
        e instanceof NoClassDefFoundError || e instanceof TypeNotPresentException
            ? "something it needs is in none of the jars and layers (" + loader.describe() + ")"
            : "it cannot be linked";
    return HostingException.handler(
        e.getClass(),
        "class " + className + " cannot be loaded, " + reason + ": " + e.getMessage());
  }

  /** {@code X::handleRequest} of a class that implements the interface means the interface. */
  private boolean isInterfaceMethod(Class<?> type, String method) {
    if (!method.equals(HANDLE_REQUEST)
        || !(implementsAws(type, REQUEST_HANDLER) || implementsAws(type, STREAM_HANDLER))) {
      return false;
    }
    int overloads = 0;
    for (Method candidate : type.getMethods()) {
      overloads += candidate.getName().equals(method) && !candidate.isBridge() ? 1 : 0;
    }
    return overloads == 1;
  }

  private Found ofInterface(Class<?> type) throws HostingException {
    if (implementsAws(type, STREAM_HANDLER)) {
      Object handler = construct(type);
      StreamTarget target = AwsBridgeLoader.bridge(loader).requestStreamHandler(handler);
      return new Found("RequestStreamHandler", new StreamHandler(target), handler);
    }
    if (implementsAws(type, REQUEST_HANDLER)) {
      Object handler = construct(type);
      ValueTarget target = AwsBridgeLoader.bridge(loader).requestHandler(handler);
      Class<?> generic = required(REQUEST_HANDLER);
      return new Found("RequestHandler", valueHandler(type, generic, target), handler);
    }
    if (Function.class.isAssignableFrom(type)) {
      @SuppressWarnings("unchecked") // Its input is bound by its own declaration.
      Function<@Nullable Object, @Nullable Object> function =
          (Function<@Nullable Object, @Nullable Object>) construct(type);
      return new Found(
          "Function", valueHandler(type, Function.class, new FunctionTarget(function)), function);
    }
    throw HostingException.handler(
        ClassCastException.class,
        "class "
            + type.getName()
            + " is no handler: it implements none of "
            + String.join(", ", REQUEST_HANDLER, STREAM_HANDLER, Function.class.getName())
            + "; implement one of them, or name a method as "
            + type.getName()
            + "::method. Public methods found: "
            + HandlerMethods.describeAll(type));
  }

  private ValueHandler valueHandler(Class<?> type, Class<?> generic, ValueTarget target) {
    return new ValueHandler(
        target,
        bindings.of(bindings.argument(type, generic, 0)),
        bindings.of(bindings.argument(type, generic, 1)));
  }

  private Found ofMethod(Class<?> type, String name) throws HostingException {
    Class<?> context = aws(CONTEXT);
    HandlerMethod method = HandlerMethods.choose(type, name, context);
    boolean isStatic = Modifier.isStatic(method.method().getModifiers());
    Object receiver = null;
    if (isStatic) {
      initialise(type);
    } else {
      receiver = construct(type);
    }
    AwsRuntime aws = context == null ? null : AwsBridgeLoader.bridge(loader);
    MethodTargets targets = new MethodTargets(method, receiver, aws);
    String kind = isStatic ? "static method" : "method";
    return new Found(
        kind,
        method.usesStreams()
            ? new StreamHandler(targets.stream())
            : new ValueHandler(
                targets.value(), methodInput(type, method), methodOutput(type, method)),
        receiver);
  }

  private @Nullable JsonBinding methodInput(Class<?> type, HandlerMethod method) {
    if (!method.takesValue()) {
      return null;
    }
    Method declared = method.method();
    return bindings.of(
        bindings.memberType(
            type, declared.getDeclaringClass(), declared.getGenericParameterTypes()[0]));
  }

  private JsonBinding methodOutput(Class<?> type, HandlerMethod method) {
    Method declared = method.method();
    return bindings.of(
        bindings.memberType(type, declared.getDeclaringClass(), declared.getGenericReturnType()));
  }

  private boolean implementsAws(Class<?> type, String interfaceName) {
    Class<?> aws = aws(interfaceName);
    return aws != null && aws.isAssignableFrom(type);
  }

  /** The function's copy of an AWS interface, or null if it has none. */
  private @Nullable Class<?> aws(String name) {
    try {
      return Class.forName(name, false, loader);
    } catch (ClassNotFoundException e) {
      return null;
    }
  }

  private Class<?> required(String name) {
    Class<?> type = aws(name);
    if (type == null) {
      throw new IllegalStateException(name + " was there a moment ago");
    }
    return type;
  }

  private static void initialise(Class<?> type) throws HostingException {
    try {
      Class.forName(type.getName(), true, type.getClassLoader());
    } catch (ExceptionInInitializerError e) {
      throw HostingException.initialisation(e.getCause() == null ? e : e.getCause());
    } catch (Throwable e) {
      throw HostingException.initialisation(e);
    }
  }

  private static Object construct(Class<?> type) throws HostingException {
    Constructor<?> constructor = constructor(type);
    initialise(type);
    try {
      return constructor.newInstance();
    } catch (InvocationTargetException e) {
      throw HostingException.initialisation(e.getCause() == null ? e : e.getCause());
    } catch (ReflectiveOperationException | LinkageError e) {
      throw HostingException.initialisation(e);
    }
  }

  private static Constructor<?> constructor(Class<?> type) throws HostingException {
    List<String> problems = new ArrayList<>();
    if (type.isInterface() || Modifier.isAbstract(type.getModifiers())) {
      problems.add("is abstract");
    } else if (type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers())) {
      problems.add("is an inner class that is not static");
    } else if (!Modifier.isPublic(type.getModifiers())) {
      problems.add("is not public");
    }
    if (problems.isEmpty()) {
      try {
        return type.getConstructor();
      } catch (NoSuchMethodException e) {
        problems.add("has no public constructor without parameters");
      }
    }
    throw HostingException.handler(
        InstantiationException.class,
        "class "
            + type.getName()
            + " cannot be constructed: it "
            + String.join(", ", problems)
            + "; a handler's class is public and concrete, with a public constructor without"
            + " parameters, or its method is static");
  }

  /** A {@link Function} comes from the platform, so it can be called as it is. */
  private record FunctionTarget(Function<@Nullable Object, @Nullable Object> function)
      implements ValueTarget {
    @Override
    public @Nullable Object apply(@Nullable Object input, Call call) {
      return function.apply(input);
    }
  }
}
