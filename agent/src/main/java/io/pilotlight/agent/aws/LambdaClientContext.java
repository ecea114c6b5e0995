package io.pilotlight.agent.aws;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the caller said about itself, from its JSON. */
final class LambdaClientContext implements ClientContext {
  private final Map<String, Object> json;

  LambdaClientContext(Map<String, Object> json) {
    this.json = json;
  }

  @Override
  public @Nullable Client getClient() {
    Map<String, String> client = strings("client");
    return client == null ? null : new CallingClient(client);
  }

  @Override
  public @Nullable Map<String, String> getCustom() {
    return strings("custom");
  }

  @Override
  public @Nullable Map<String, String> getEnvironment() {
    return strings("env");
  }

  private @Nullable Map<String, String> strings(String key) {
    if (!(json.get(key) instanceof Map<?, ?> object)) {
      return null;
    }
    Map<String, String> strings = new LinkedHashMap<>();
    object.forEach((name, value) -> strings.put(String.valueOf(name), String.valueOf(value)));
    return strings;
  }

  private static final class CallingClient implements Client {
    private final Map<String, String> client;

    CallingClient(Map<String, String> client) {
      this.client = client;
    }

    @Override
    public @Nullable String getInstallationId() {
      return client.get("installation_id");
    }

    @Override
    public @Nullable String getAppTitle() {
      return client.get("app_title");
    }

    @Override
    public @Nullable String getAppVersionName() {
      return client.get("app_version_name");
    }

    @Override
    public @Nullable String getAppVersionCode() {
      return client.get("app_version_code");
    }

    @Override
    public @Nullable String getAppPackageName() {
      return client.get("app_package_name");
    }
  }
}
