package dev.headrace.admission;

import dev.headrace.messages.RequestHead;

/**
 * A request body as it goes upstream. The array is not copied.
 *
 * @param bytes holds the body from its start
 * @param length how many bytes of the array are the body
 * @param head the head fields of exactly this body, their places included
 */
@SuppressWarnings("ArrayRecordComponent") // compared nowhere
public record UpstreamBody(byte[] bytes, int length, RequestHead head) {

  /** The same body with another {@code max_tokens}; the very same if it has none. */
  public UpstreamBody withMaxTokens(long maxTokens) {
    return new BodyEdits(null, maxTokens).apply(bytes, length, head);
  }

  /** Says how long it is: the rest holds prompts. */
  @Override
  public String toString() {
    return length + " bytes";
  }
}
