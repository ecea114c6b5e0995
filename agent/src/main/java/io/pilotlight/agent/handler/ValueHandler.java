package io.pilotlight.agent.handler;

import java.io.ByteArrayInputStream;
import org.jspecify.annotations.Nullable;

/** Binds the payload, calls the handler, binds its answer. */
final class ValueHandler implements Handler {
  private final ValueTarget target;
  private final @Nullable JsonBinding input;
  private final JsonBinding output;

  /** A null {@code input} means that the handler takes none. */
  ValueHandler(ValueTarget target, @Nullable JsonBinding input, JsonBinding output) {
    this.target = target;
    this.input = input;
    this.output = output;
  }

  @Override
  public void call(Call call, byte[] payload, Reply reply) throws CallFault {
    Object value = input == null ? null : read(input, payload);
    write(enter(value, call, reply), reply);
  }

  private static @Nullable Object read(JsonBinding input, byte[] payload) throws CallFault {
    try {
      return input.read(new ByteArrayInputStream(payload));
    } catch (Throwable thrown) {
      throw CallFault.input(input.type(), thrown);
    }
  }

  private @Nullable Object enter(@Nullable Object value, Call call, Reply reply) throws CallFault {
    reply.entered(call.function().clock().nanoTime());
    try {
      return target.apply(value, call);
    } catch (Throwable thrown) {
      throw CallFault.thrown(thrown);
    } finally {
      reply.finished(call.function().clock().nanoTime());
    }
  }

  private void write(@Nullable Object answer, Reply reply) throws CallFault {
    try (Reply.Body body = reply.open()) {
      output.write(answer, body);
    } catch (Throwable thrown) {
      throw reply.overflowed()
          ? CallFault.tooLarge(Reply.MAX_PAYLOAD_BYTES)
          : CallFault.output(output.type(), thrown);
    }
  }
}
