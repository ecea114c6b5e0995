package io.pilotlight.agent.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class CreationHookTest {

  /** Shaped like SecureRandom. */
  static class Generator extends Random {
    private static final long serialVersionUID = 1L;
    final String made;

    Generator() {
      super(0);
      made = System.nanoTime() == 0 ? "never" : "plain";
    }

    Generator(String made) {
      super(0);
      this.made = made;
    }

    Generator(String first, String second) {
      this(first + second);
    }
  }

  private static final class Loader extends ClassLoader {
    Loader() {
      super(CreationHookTest.class.getClassLoader());
    }

    Class<?> define(String name, byte[] classFile) {
      return defineClass(name, classFile, 0, classFile.length);
    }
  }

  @Test
  void everyConstructorTellsOnceOfItsObject() throws Exception {
    Class<?> changed =
        new Loader()
            .define(Generator.class.getName(), CreationHook.insert(classFile(Generator.class)));
    List<Object> created = new ArrayList<>();
    Field hook = changed.getDeclaredField(CreationHook.FIELD);
    hook.setAccessible(true);
    hook.set(null, (Consumer<Object>) created::add);

    Object plain = create(changed);
    Object named = create(changed, "a");
    Object joined = create(changed, "a", "b");

    assertThat(created).hasSize(3);
    assertThat(created.get(0)).isSameAs(plain);
    assertThat(created.get(1)).isSameAs(named);
    assertThat(created.get(2)).isSameAs(joined);
    Field made = changed.getDeclaredField("made");
    made.setAccessible(true);
    assertThat(List.of(made.get(plain), made.get(named), made.get(joined)))
        .containsExactly("plain", "a", "ab");
  }

  @Test
  void aClassOfAnotherShapeIsRefused() {
    assertThatThrownBy(() -> CreationHook.insert(classFile(CreationHookTest.class)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("super(0)");
    assertThatThrownBy(() -> CreationHook.insert(new byte[8]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Object create(Class<?> type, String... arguments) throws Exception {
    Class<?>[] parameters = new Class<?>[arguments.length];
    java.util.Arrays.fill(parameters, String.class);
    Constructor<?> constructor = type.getDeclaredConstructor(parameters);
    constructor.setAccessible(true);
    return constructor.newInstance((Object[]) arguments);
  }

  private static byte[] classFile(Class<?> type) throws Exception {
    String name = "/" + type.getName().replace('.', '/') + ".class";
    try (InputStream in = type.getResourceAsStream(name)) {
      return in.readAllBytes();
    }
  }
}
