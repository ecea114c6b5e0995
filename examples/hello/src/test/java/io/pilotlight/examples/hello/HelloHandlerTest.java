package io.pilotlight.examples.hello;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class HelloHandlerTest {
  private final HelloHandler handler = new HelloHandler();

  @Test
  void greetsByName() {
    assertThat(greet("Ada")).isEqualTo("Hello, Ada!");
  }

  @Test
  void greetsTheWorldWhenNobodyIsNamed() {
    assertThat(greet("  ")).isEqualTo("Hello, world!");
    assertThat(handler.handleRequest(new HelloRequest(), null).getMessage())
        .isEqualTo("Hello, world!");
  }

  private String greet(String name) {
    HelloRequest request = new HelloRequest();
    request.setName(name);
    return handler.handleRequest(request, null).getMessage();
  }
}
