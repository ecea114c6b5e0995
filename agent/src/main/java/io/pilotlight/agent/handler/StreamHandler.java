package io.pilotlight.agent.handler;

import java.io.ByteArrayInputStream;

/** Hands the payload and the answer to the handler as streams. */
final class StreamHandler implements Handler {
  private final StreamTarget target;

  StreamHandler(StreamTarget target) {
    this.target = target;
  }

  @Override
  public void call(Call call, byte[] payload, Reply reply) throws CallFault {
    ByteArrayInputStream input = new ByteArrayInputStream(payload);
    Throwable failed = null;
    try (Reply.Body body = reply.open()) {
      reply.entered(call.function().clock().nanoTime());
      target.handle(input, body, call);
    } catch (Throwable thrown) {
      failed = thrown;
    }
    reply.finished(call.function().clock().nanoTime());
    // Asked first: the handler may have swallowed the exception that told it so.
    if (reply.overflowed()) {
      throw CallFault.tooLarge(Reply.MAX_PAYLOAD_BYTES);
    }
    if (failed != null) {
      throw CallFault.thrown(failed);
    }
  }
}
