package io.pilotlight.daemon.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.Consumer;

/**
 * An error of the native API, as RFC 9457 describes one.
 *
 * @param status the HTTP status
 * @param type the last part of its type URN: a fixed word for programs
 * @param detail for people: what failed, with which value, and what to do
 * @param extension writes further members
 */
record Problem(int status, String type, String detail, Consumer<ObjectNode> extension) {
  static final String MEDIA_TYPE = "application/problem+json";

  Problem(int status, String type, String detail) {
    this(status, type, detail, node -> {});
  }

  /** Writes it into {@code node}. */
  void write(ObjectNode node) {
    node.put("type", "urn:pilotlight:" + type);
    node.put("title", type.replace('-', ' '));
    node.put("status", status);
    node.put("detail", detail);
    extension.accept(node);
  }
}
