package io.pilotlight.agent.handler;

import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.core.JsonProcessingException;
import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.AnnotationIntrospector;
import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.JavaType;
import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.ObjectMapper;
import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.type.TypeFactory;
import com.amazonaws.services.lambda.runtime.serialization.PojoSerializer;
import com.amazonaws.services.lambda.runtime.serialization.events.LambdaEventSerializers;
import com.amazonaws.services.lambda.runtime.serialization.factories.JacksonFactory;
import java.lang.reflect.Type;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes the bindings of a function's types, as AWS's own runtime chooses them. */
final class JsonBindings {
  private static final String AWS_PREFIX = "com.amazonaws.";

  private final ClassLoader functionLoader;
  private @Nullable ObjectMapper mapper;
  private @Nullable PojoSerializer<Object> clientContexts;

  JsonBindings(ClassLoader functionLoader) {
    this.functionLoader = functionLoader;
  }

  /** AWS's mapper; made when it is first needed, since handlers of streams never need it. */
  private ObjectMapper mapper() {
    ObjectMapper made = mapper;
    if (made == null) {
      made = JacksonFactory.getInstance().getMapper();
      // AWS's serializers copy this mapper, so this comes before the first of them is made.
      made.setAnnotationIntrospector(
          AnnotationIntrospector.pair(
              made.getDeserializationConfig().getAnnotationIntrospector(), new RecordCreators()));
      mapper = made;
    }
    return made;
  }

  JsonBinding of(JavaType type) {
    Class<?> raw = type.getRawClass();
    if (raw == void.class || raw == Void.class) {
      return new JsonBinding(type, null);
    }
    return new JsonBinding(type, serializer(type));
  }

  @SuppressWarnings("unchecked") // A serializer of T is only given what the handler takes as a T.
  private PojoSerializer<Object> serializer(JavaType type) {
    Class<?> raw = type.getRawClass();
    // Asking AWS's list costs a cold start some 50 classes, so functions without its events do not.
    if (raw.getName().startsWith(AWS_PREFIX)
        && LambdaEventSerializers.isLambdaSupportedEvent(raw.getName())) {
      return LambdaEventSerializers.serializerFor((Class<Object>) raw, functionLoader);
    }
    return JacksonFactory.getInstance().getSerializer((Type) type);
  }

  /** The arguments with which {@code type} implements {@code generic}; {@code Object} if raw. */
  JavaType argument(Class<?> type, Class<?> generic, int index) {
    TypeFactory types = mapper().getTypeFactory();
    JavaType[] arguments = types.findTypeParameters(types.constructType(type), generic);
    return index < arguments.length ? arguments[index] : TypeFactory.unknownType();
  }

  /**
   * {@code member}, a type in the declaration of {@code declaring}, as {@code type} inherits it.
   */
  JavaType memberType(Class<?> type, Class<?> declaring, Type member) {
    TypeFactory types = mapper().getTypeFactory();
    JavaType declaringType = types.constructType(type).findSuperType(declaring);
    return types.resolveMemberType(
        member, (declaringType == null ? types.constructType(type) : declaringType).getBindings());
  }

  /** Reads a client context. */
  @SuppressWarnings("unchecked") // A JSON object is read as a map with strings for its keys.
  @Nullable Map<String, Object> clientContext(String json) {
    PojoSerializer<Object> reader = clientContexts;
    if (reader == null) {
      reader = JacksonFactory.getInstance().getSerializer((Type) Map.class);
      clientContexts = reader;
    }
    return (Map<String, Object>) reader.fromJson(json);
  }

  /**
   * Has Jackson take into its lookup table what the calls so far have added: it does so at the
   * beginning of the call after one that added something, which would be a clone's first.
   */
  void settle() {
    if (mapper == null) {
      return;
    }
    try {
      mapper.writeValueAsBytes(null);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("null cannot be written", e);
    }
  }
}
