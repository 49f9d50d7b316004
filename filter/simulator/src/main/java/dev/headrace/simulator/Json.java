package dev.headrace.simulator;

import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads JSON with Jackson and quotes strings by hand, which is what the hot path needs. */
final class Json {
  // Request bodies may be one string of 32 MB; the limit that counts is the body limit.
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                  .build())
          .build();

  private Json() {}

  /**
   * Parses one JSON value.
   *
   * @throws tools.jackson.core.JacksonException if the text is not JSON
   */
  static JsonNode parse(String text) {
    return MAPPER.readTree(text);
  }

  /**
   * Parses one JSON value from UTF-8.
   *
   * @throws tools.jackson.core.JacksonException if the text is not JSON
   */
  static JsonNode parse(byte[] utf8) {
    return MAPPER.readTree(utf8);
  }

  static String quote(String text) {
    StringBuilder out = new StringBuilder(text.length() + 8).append('"');
    appendEscaped(out, text);
    return out.append('"').toString();
  }

  static String quoteOrNull(@org.jspecify.annotations.Nullable String text) {
    return text == null ? "null" : quote(text);
  }

  private static void appendEscaped(StringBuilder out, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < 0x20) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
  }
}
