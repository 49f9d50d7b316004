package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.charset.CodingErrorAction;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonFactoryBuilder;
import tools.jackson.core.util.BufferRecycler;
import tools.jackson.core.util.JsonRecyclerPools;
import tools.jackson.core.util.RecyclerPool;

/**
 * Opens JSON parsers whose memory is bounded whatever they are fed. The limits protect the gateway;
 * what the API accepts is the API's business. Thread-safe.
 *
 * <p>The parsers read characters, not bytes, and keep no table of names. Jackson's byte parser
 * would be some ten milliseconds faster for 30 MB, but guesses UTF-16, accepts ill-formed UTF-8,
 * and copies its name table for every few kilobytes of names: 30 MB of distinct names of 1,000
 * bytes cost 29 GB of allocation and 3.7 s (Jackson 3.2.4, measured 2026-11-22); here 33 MB and 0.1
 * s.
 */
final class JsonInput {
  static final int MAX_DEPTH = 200;
  static final int MAX_NUMBER_LENGTH = 100;
  static final int MAX_NAME_LENGTH = 1_000;

  /**
   * Longest string we take out of a request; the others are skipped in place and may have any
   * length. The readers check it: Jackson's own limit must not be below that for names, because it
   * counts for them, too, when a name crosses the end of the input buffer and its first text buffer
   * of 200 characters is full.
   */
  static final int MAX_STRING_LENGTH = 256;

  /**
   * Most JSON tokens of one body. The most messages that the API takes of one request, 100,000,
   * have 13 each when they are short.
   */
  static final int MAX_TOKENS = 2_000_000;

  /** Most buffer sets kept for reuse, 10 to 200 KB each; further ones are allocated and dropped. */
  private static final int POOLED_BUFFERS = 32;

  /**
   * Not thread-local: buffers in a container's threads would keep the application's class loader
   * after undeploy.
   */
  private static final RecyclerPool<BufferRecycler> POOL =
      JsonRecyclerPools.newBoundedPool(POOLED_BUFFERS);

  /**
   * Duplicates are refused: a field given twice could mean one thing to us and another to the API.
   */
  private static final JsonFactory REQUEST =
      factory(MAX_NAME_LENGTH, MAX_DEPTH)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private static final JsonFactory ANSWER = factory(Integer.MAX_VALUE, MAX_DEPTH).build();

  /** The input of a tool may have any depth, and usage stands behind it; nothing is built of it. */
  private static final JsonFactory ANSWER_IN_PIECES = factory(Integer.MAX_VALUE, 10_000).build();

  private JsonInput() {}

  private static JsonFactoryBuilder factory(int maxStringLength, int maxDepth) {
    return JsonFactory.builder()
        .recyclerPool(POOL)
        .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
        .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
        .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(maxDepth)
                .maxNumberLength(MAX_NUMBER_LENGTH)
                .maxNameLength(MAX_NAME_LENGTH)
                .maxTokenCount(MAX_TOKENS)
                .maxStringLength(maxStringLength)
                .build());
  }

  /**
   * For what a client sends: each field once, names as {@link BoundedNames} has it, and ill-formed
   * UTF-8 ends in a {@code JacksonIOException}.
   */
  static JsonParser request(byte[] body, int length) {
    // A new decoder reports ill-formed input; the one behind InputStreamReader(stream, charset)
    // replaces it.
    return new BoundedNames(
        REQUEST.createParser(
            ObjectReadContext.empty(),
            new InputStreamReader(
                new ByteArrayInputStream(body, 0, length),
                UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT))));
  }

  /**
   * For what the API or an edge before it sends: ill-formed UTF-8 becomes U+FFFD. Events are many
   * and small, so they are decoded in one go: a reader brings a buffer of 8 KiB of its own for each
   * of them.
   */
  static JsonParser answer(byte[] data, int offset, int length) {
    return answer(new String(data, offset, length, UTF_8));
  }

  /** For JSON that came as text inside other JSON, such as a tool's input. */
  static JsonParser answer(String json) {
    return ANSWER.createParser(ObjectReadContext.empty(), json);
  }

  /**
   * For an answer that comes in pieces. It reads bytes, since Jackson has no other way for pieces,
   * but keeps no table of names either. Who feeds it cuts long strings and numbers first: this
   * parser holds each of them whole.
   */
  static JsonParser answerInPieces() {
    return ANSWER_IN_PIECES.createNonBlockingByteArrayParser(ObjectReadContext.empty());
  }

  static JsonFactory output() {
    return ANSWER;
  }
}
