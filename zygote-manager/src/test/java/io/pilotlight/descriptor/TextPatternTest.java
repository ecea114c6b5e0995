package io.pilotlight.descriptor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TextPatternTest {
  private static final List<String> PATHS =
      List.of(
          "/",
          "/a",
          "/b.log",
          "/a/b.log",
          "/a/b/c.log",
          "/a/}",
          "/a,b",
          "/a*b",
          "/a\nb",
          "/-",
          "/!",
          "/^",
          "/\\",
          "/.",
          "/a[b]",
          "/\u00e4",
          "/\ud83d\ude00",
          "/a+b(c)|$");

  /** The JDK's own globs are the measure, where they end. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/*",
        "/**",
        "**",
        "/?",
        "**/*.log",
        "/*/*.log",
        "/{a,b}*",
        "/{a,b/c,**}",
        "/a,b",
        "/a\\*b",
        "/a/}",
        "/[ab]",
        "/[!ab]",
        "/[a-c]*",
        "/[-a]",
        "/[!-]",
        "/[a-]",
        "/[^]",
        "/[!^]",
        "/[\\]",
        "/[.a]",
        "/a\\[b\\]",
        "/[+-9]",
        "?[+-9]",
        "/a+b(c)|$",
        "/\u00e4",
        "/[\u00e0-\u00ff]",
        "/a{}",
        "/\ud83d\ude00",
        "/[*?]",
        "/a[*]b",
        "***",
        "/{a,}"
      })
  void globIsWhatTheJdkTakesItFor(String glob) {
    TextPattern pattern = TextPattern.glob(glob);
    PathMatcher jdk = FileSystems.getDefault().getPathMatcher("glob:" + glob);
    for (String path : PATHS) {
      assertThat(pattern.matches(path))
          .as("%s for %s", glob, path)
          .isEqualTo(jdk.matches(Path.of(path)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "[]", "[!]", "[a", "[b-a]", "[/]", "{a", "{a{b}}", "\\"})
  void globThatIsNoneIsRefused(String glob) {
    assertThatThrownBy(() -> TextPattern.glob(glob)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"(", "a{1000000000}", "a{99999999999}", "(a{11}){10,}", "(a{2,11}){10}", "(?=a)"})
  void expressionThatIsNoneIsRefused(String expression) {
    assertThatThrownBy(() -> TextPattern.regex(expression))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void expressionIsForTheWholeText() {
    TextPattern pattern = TextPattern.regex("a{2,3}|\\Qa[\\E");
    assertThat(List.of("aa", "aaa", "a[")).allMatch(pattern::matches);
    assertThat(List.of("a", "aaaa", "xaa", "")).noneMatch(pattern::matches);
  }

  @Test
  void lengthIsBounded() {
    String longest = "a".repeat(TextPattern.MAX_CHARS);
    assertThat(TextPattern.regex(longest).matches(longest)).isTrue();
    assertThatThrownBy(() -> TextPattern.regex(longest + "a")).hasMessageContaining("1001");
    assertThatThrownBy(() -> TextPattern.glob(longest + "a")).hasMessageContaining("1001");
  }
}
