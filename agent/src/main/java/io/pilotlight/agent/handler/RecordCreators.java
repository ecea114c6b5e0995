package io.pilotlight.agent.handler;

import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.annotation.JsonCreator;
import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.cfg.MapperConfig;
import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.introspect.Annotated;
import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.introspect.AnnotatedConstructor;
import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.introspect.AnnotatedParameter;
import com.amazonaws.lambda.thirdparty.com.fasterxml.jackson.databind.introspect.NopAnnotationIntrospector;
import java.lang.reflect.RecordComponent;
import org.jspecify.annotations.Nullable;

/**
 * Lets JSON objects become records. AWS's configuration switches the detection of constructors off,
 * and with it all records; this names their canonical constructor and leaves every other type as
 * AWS has it.
 */
final class RecordCreators extends NopAnnotationIntrospector {
  private static final long serialVersionUID = 1L;

  @Override
  public JsonCreator.@Nullable Mode findCreatorAnnotation(
      MapperConfig<?> config, Annotated candidate) {
    return candidate instanceof AnnotatedConstructor constructor && isCanonical(constructor)
        ? JsonCreator.Mode.PROPERTIES
        : null;
  }

  @Override
  public @Nullable String findImplicitPropertyName(AnnotatedMember member) {
    if (member instanceof AnnotatedParameter parameter
        && parameter.getOwner() instanceof AnnotatedConstructor constructor
        && isCanonical(constructor)) {
      return components(constructor)[parameter.getIndex()].getName();
    }
    return null;
  }

  private static boolean isCanonical(AnnotatedConstructor constructor) {
    if (!constructor.getDeclaringClass().isRecord()) {
      return false;
    }
    RecordComponent[] components = components(constructor);
    if (components.length != constructor.getParameterCount()) {
      return false;
    }
    for (int i = 0; i < components.length; i++) {
      if (components[i].getType() != constructor.getRawParameterType(i)) {
        return false;
      }
    }
    return true;
  }

  private static RecordComponent[] components(AnnotatedConstructor constructor) {
    return constructor.getDeclaringClass().getRecordComponents();
  }
}
