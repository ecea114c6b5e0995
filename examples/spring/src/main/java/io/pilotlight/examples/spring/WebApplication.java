package io.pilotlight.examples.spring;

import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Greets whoever asks, in JSON. */
@SpringBootApplication
@RestController
public class WebApplication {
  /** Serves until it is told to end. */
  public static void main(String[] arguments) {
    SpringApplication.run(WebApplication.class, arguments);
  }

  /** One greeting. */
  @GetMapping("/greetings")
  public Map<String, String> greet(@RequestParam(defaultValue = "World") String name) {
    return Map.of("greeting", "Hello, " + name);
  }
}
