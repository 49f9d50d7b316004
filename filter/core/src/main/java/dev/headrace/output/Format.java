package dev.headrace.output;

import org.jspecify.annotations.Nullable;

/** The formats in which a client can get an answer. */
public enum Format {
  /** The upstream's events, byte by byte. */
  EVENTS("events", null),
  /** Only the text, as plain text; see {@link TextTranslation}. */
  TEXT("text", "text/plain; charset=utf-8"),
  /** A small vocabulary of events for pages; see {@link SimpleTranslation}. */
  SIMPLE("simple", "text/event-stream; charset=utf-8");

  private final String wireName;
  private final @Nullable String contentType;

  Format(String wireName, @Nullable String contentType) {
    this.wireName = wireName;
    this.contentType = contentType;
  }

  /** The format of this name, as in {@code ?format=text}; null when there is none. */
  public static @Nullable Format named(String name) {
    for (Format format : values()) {
      if (format.wireName.equals(name)) {
        return format;
      }
    }
    return null;
  }

  /** The name as in {@code ?format=text}. */
  public String wireName() {
    return wireName;
  }

  /** The content type of an answer in this format; null where it is the upstream's. */
  public @Nullable String contentType() {
    return contentType;
  }
}
