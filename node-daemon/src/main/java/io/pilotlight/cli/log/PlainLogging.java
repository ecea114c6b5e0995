package io.pilotlight.cli.log;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * Warnings and errors on stderr, in the format of {@code logback.xml}: what it takes to read that
 * file is more than a command has that restores a program.
 */
public final class PlainLogging implements SLF4JServiceProvider {
  private static final String LEVEL = "PILOTLIGHT_LOG_LEVEL";
  private static final String API_VERSION = "2.0.99";

  private final ConcurrentMap<String, PlainLogger> loggers = new ConcurrentHashMap<>();
  private final IMarkerFactory markers = new BasicMarkerFactory();
  private final MDCAdapter context = new NOPMDCAdapter();

  /**
   * Makes it the log of this process if that is to tell warnings and no more. Before anything is
   * logged.
   */
  public static void useForWarnings() {
    if (System.getenv(LEVEL) == null && "WARN".equals(System.getProperty(LEVEL))) {
      System.setProperty("slf4j.provider", PlainLogging.class.getName());
      // Else it tells on stderr that it does so.
      System.setProperty("slf4j.internal.verbosity", "WARN");
    }
  }

  @Override
  public ILoggerFactory getLoggerFactory() {
    return name -> loggers.computeIfAbsent(name, PlainLogger::new);
  }

  @Override
  public IMarkerFactory getMarkerFactory() {
    return markers;
  }

  @Override
  public MDCAdapter getMDCAdapter() {
    return context;
  }

  @Override
  public String getRequestedApiVersion() {
    return API_VERSION;
  }

  @Override
  public void initialize() {}
}
