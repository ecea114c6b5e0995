package io.pilotlight.agent.handler;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * Defines the bridge's classes against the function's copy of the AWS interfaces: those names lead
 * to the function's loader, the bridge's own are defined here, all others are the agent's.
 */
final class AwsBridgeLoader extends ClassLoader {
  private static final String AWS_PREFIX = "com.amazonaws.services.lambda.runtime.";
  private static final String BRIDGE_PREFIX = "io.pilotlight.agent.aws.";
  private static final String BRIDGE = BRIDGE_PREFIX + "AwsBridge";

  static {
    registerAsParallelCapable();
  }

  private final ClassLoader function;

  private AwsBridgeLoader(ClassLoader agent, ClassLoader function) {
    super("pilotlight-aws", agent);
    this.function = function;
  }

  /** The bridge to {@code function}'s interfaces. */
  static AwsRuntime bridge(ClassLoader function) {
    ClassLoader agent = AwsBridgeLoader.class.getClassLoader();
    try {
      return Class.forName(BRIDGE, true, new AwsBridgeLoader(agent, function))
          .asSubclass(AwsRuntime.class)
          .getConstructor()
          .newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("the agent's jar is broken: " + BRIDGE, e);
    }
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (name.startsWith(AWS_PREFIX)) {
      return function.loadClass(name);
    }
    if (!name.startsWith(BRIDGE_PREFIX)) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      return loaded == null ? define(name) : loaded;
    }
  }

  private Class<?> define(String name) throws ClassNotFoundException {
    String resource = name.replace('.', '/') + ".class";
    try (@Nullable InputStream in = getParent().getResourceAsStream(resource)) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] bytes = in.readAllBytes();
      return defineClass(name, bytes, 0, bytes.length);
    } catch (IOException e) {
      throw new ClassNotFoundException(name, e);
    }
  }
}
