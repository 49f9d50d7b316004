package dev.headrace.output;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FormatTest {
  @ParameterizedTest
  @EnumSource
  void isFoundByItsNameInLowerCase(Format format) {
    assertThat(format.wireName()).isEqualTo(format.name().toLowerCase(java.util.Locale.ROOT));
    assertThat(Format.named(format.wireName())).isSameAs(format);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "TEXT", "Text", " text", "html", "null"})
  void otherNamesAreNoFormats(String name) {
    assertThat(Format.named(name)).isNull();
  }

  @Test
  void tellsItsContentTypeUnlessItIsTheUpstreams() {
    assertThat(Format.EVENTS.contentType()).isNull();
    assertThat(Format.TEXT.contentType()).isEqualTo("text/plain; charset=utf-8");
    assertThat(Format.SIMPLE.contentType()).isEqualTo("text/event-stream; charset=utf-8");
  }
}
