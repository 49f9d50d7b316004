package dev.headrace.output;

import dev.headrace.messages.ApiError;
import dev.headrace.output.Block.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Only the text of an answer, as UTF-8: the content of its {@code text} blocks, one behind the
 * other. Plain text has no way to tell of an error, so an answer that is not {@link #isEnded} must
 * not end cleanly. Not thread-safe.
 */
public final class TextTranslation extends Translation {
  /** For one attempt. */
  public TextTranslation() {
    super(0);
  }

  @Override
  public byte @Nullable [] lastEvent(ApiError error) {
    return null;
  }

  @Override
  boolean shows(Kind kind) {
    return kind == Kind.TEXT;
  }

  @Override
  void text(String text) {
    out.text(text);
  }

  @Override
  void stopped() {}

  @Override
  void failedUpstream(ApiError error) {}
}
