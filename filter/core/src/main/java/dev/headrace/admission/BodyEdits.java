package dev.headrace.admission;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.headrace.messages.JsonValues;
import dev.headrace.messages.RequestHead;
import dev.headrace.messages.RequestHead.TokenRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a policy changes in a request body: the value of {@code model}, of {@code max_tokens}, both
 * or none. Every byte outside these two tokens stays, because prompt caching and the signatures of
 * thinking blocks depend on the bytes. A field that is missing stays missing. Immutable.
 *
 * @param model the model to ask instead; null to leave it
 * @param maxTokens the largest answer instead; null to leave it
 */
record BodyEdits(@Nullable String model, @Nullable Long maxTokens) {

  static final BodyEdits NONE = new BodyEdits(null, null);

  /** One token and what takes its place. */
  @SuppressWarnings("ArrayRecordComponent") // compared nowhere
  private record Replacement(TokenRange token, byte[] bytes) {
    int growth() {
      return bytes.length - (token.end() - token.start());
    }
  }

  /**
   * The body with the edits and the head that fits it. Without edits these are the arguments;
   * otherwise the body is copied once and the old one is left as it is.
   *
   * @param head as read from this body
   */
  UpstreamBody apply(byte[] body, int length, RequestHead head) {
    List<Replacement> replacements = new ArrayList<>(2);
    TokenRange modelToken = head.modelToken();
    if (model != null && modelToken != null) {
      replacements.add(new Replacement(modelToken, JsonValues.string(model)));
    }
    TokenRange maxTokensToken = head.maxTokensToken();
    if (maxTokens != null && maxTokensToken != null) {
      replacements.add(new Replacement(maxTokensToken, maxTokens.toString().getBytes(US_ASCII)));
    }
    if (replacements.isEmpty()) {
      return new UpstreamBody(body, length, head);
    }
    replacements.sort(Comparator.comparingInt(each -> each.token().start()));
    byte[] edited = copy(body, length, replacements);
    return new UpstreamBody(
        edited,
        edited.length,
        new RequestHead(
            model != null && modelToken != null ? model : head.model(),
            head.stream(),
            maxTokens != null && maxTokensToken != null ? maxTokens : head.maxTokens(),
            moved(modelToken, replacements),
            moved(maxTokensToken, replacements),
            head.speed(),
            head.inferenceGeo(),
            head.fallbackModels(),
            head.toolModels(),
            head.references()));
  }

  private static byte[] copy(byte[] body, int length, List<Replacement> replacements) {
    int growth = replacements.stream().mapToInt(Replacement::growth).sum();
    byte[] edited = new byte[Math.addExact(length, growth)];
    int from = 0;
    int to = 0;
    for (Replacement each : replacements) {
      int kept = each.token().start() - from;
      System.arraycopy(body, from, edited, to, kept);
      to += kept;
      System.arraycopy(each.bytes(), 0, edited, to, each.bytes().length);
      to += each.bytes().length;
      from = each.token().end();
    }
    System.arraycopy(body, from, edited, to, length - from);
    return edited;
  }

  /** Where a token stands afterwards. */
  private static @Nullable TokenRange moved(
      @Nullable TokenRange token, List<Replacement> replacements) {
    if (token == null) {
      return null;
    }
    int start = token.start();
    int end = token.end();
    for (Replacement each : replacements) {
      start += each.token().start() < token.start() ? each.growth() : 0;
      end += each.token().start() <= token.start() ? each.growth() : 0;
    }
    return new TokenRange(start, end);
  }
}
