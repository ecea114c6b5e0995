package io.pilotlight.daemon.http;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import io.pilotlight.daemon.function.ConflictException;
import io.pilotlight.daemon.function.Deployer;
import io.pilotlight.daemon.function.Deployment;
import io.pilotlight.daemon.function.FunctionRegistry;
import io.pilotlight.daemon.function.InvalidFieldException;
import io.pilotlight.daemon.function.ServedFunction;
import io.pilotlight.daemon.function.SettingsJson;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.Zygote;
import java.io.IOException;
import java.util.concurrent.CancellationException;

/** {@code /v1/functions} and {@code /v1/functions/{name}}. Thread-safe. */
final class FunctionsEndpoint {
  private final FunctionRegistry registry;
  private final Deployer deployer;
  private final SettingsJson settings;
  private final FunctionViews views;
  private final int maxRequestBytes;

  FunctionsEndpoint(
      FunctionRegistry registry,
      Deployer deployer,
      SettingsJson settings,
      FunctionViews views,
      int maxRequestBytes) {
    this.registry = registry;
    this.deployer = deployer;
    this.settings = settings;
    this.views = views;
    this.maxRequestBytes = maxRequestBytes;
  }

  static Problem unknown(String name) {
    return new Problem(
        404, "unknown-function", "there is no function '" + name + "'; deploy it first");
  }

  void describe(String name, Exchange exchange) {
    ServedFunction function = registry.find(name);
    if (function == null) {
      exchange.problem(unknown(name));
    } else {
      exchange.json(200, views.function(function));
    }
  }

  void workingSet(String name, Exchange exchange) {
    ServedFunction function = registry.find(name);
    if (function == null) {
      exchange.problem(unknown(name));
      return;
    }
    Deployment current = function.current();
    Zygote zygote = current == null ? null : current.cloneable();
    if (zygote == null) {
      exchange.problem(noZygote(name, "it has none at the moment"));
      return;
    }
    try {
      exchange.json(200, views.workingSet(name, zygote));
    } catch (IOException e) {
      exchange.problem(noZygote(name, messageOf(e)));
    }
  }

  private static Problem noZygote(String name, String why) {
    return new Problem(
        409,
        "no-zygote",
        "the working set of function '"
            + name
            + "' is its zygote's: "
            + why
            + "; try again when its state is 'ready'");
  }

  void remove(String name, Exchange exchange) throws IOException {
    try {
      if (deployer.remove(name)) {
        exchange.empty(204);
      } else {
        exchange.problem(unknown(name));
      }
    } catch (ConflictException e) {
      exchange.problem(conflict(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      exchange.problem(stopping());
    }
  }

  void deploy(String name, Exchange exchange) throws IOException, RequestBody.TooLargeException {
    byte[] body = exchange.body(maxRequestBytes);
    JsonNode request;
    try {
      request = exchange.json().readTree(body);
    } catch (IOException e) { // of bytes in memory: they are no JSON, or not even text
      exchange.problem(new Problem(400, "invalid-json", "the body is not JSON: " + messageOf(e)));
      return;
    }
    try {
      SettingsJson.checkName(name);
      Deployer.Deployed deployed = deployer.deploy(name, settings.deployRequest(request));
      exchange.json(deployed.created() ? 201 : 200, views.function(deployed.function()));
    } catch (InvalidFieldException e) {
      exchange.problem(
          new Problem(
              400,
              "invalid-request",
              String.valueOf(e.getMessage()),
              node -> node.put("field", e.field())));
    } catch (ConflictException e) {
      exchange.problem(conflict(e));
    } catch (BuildException e) {
      exchange.problem(Builds.problem(e, Builds.When.DEPLOYING));
    } catch (CancellationException e) {
      exchange.problem(stopping());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      exchange.problem(stopping());
    }
  }

  private static String messageOf(IOException e) {
    return String.valueOf(
        e instanceof JacksonException parsing ? parsing.getOriginalMessage() : e.getMessage());
  }

  private static Problem conflict(ConflictException e) {
    return new Problem(409, "conflict", String.valueOf(e.getMessage()));
  }

  private static Problem stopping() {
    return new Problem(503, "stopping", "the daemon is stopping; try again when it runs again");
  }
}
