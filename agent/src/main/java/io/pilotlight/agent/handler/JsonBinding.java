package io.pilotlight.agent.handler;

import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.JavaType;
import com.amazonaws.services.lambda.runtime.serialization.PojoSerializer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** Reads and writes one type as AWS Lambda does. */
final class JsonBinding {
  private static final byte[] NULL = {'n', 'u', 'l', 'l'};

  private final JavaType type;
  private final @Nullable PojoSerializer<Object> serializer;

  /** A null {@code serializer} means a type without values: void. */
  JsonBinding(JavaType type, @Nullable PojoSerializer<Object> serializer) {
    this.type = type;
    this.serializer = serializer;
  }

  /** The type, for messages. */
  String type() {
    return type.toCanonical();
  }

  @Nullable Object read(InputStream json) {
    return serializer == null ? null : serializer.fromJson(json);
  }

  void write(@Nullable Object value, OutputStream out) throws IOException {
    if (serializer == null) {
      out.write(NULL);
    } else {
      serializer.toJson(value, out);
    }
  }
}
