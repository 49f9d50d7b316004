package dev.headrace.messages;

import dev.headrace.messages.MessageUsage.Iteration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonParser.NumberType;
import tools.jackson.core.JsonToken;
import tools.jackson.core.exc.StreamReadException;

/**
 * The fields of a {@code usage} object, each null until the API has sent it. Later objects
 * overwrite what they name and keep the rest (API reference, "Reassembling the final message", as
 * of 2026-11-22): the totals come anew in every {@code message_delta}, while the split of the cache
 * writes, tier, geo and speed come in {@code message_start} alone. Not thread-safe.
 *
 * <p>Unknown fields are ignored. A count that is no whole number from 0 to {@value #MAX_COUNT} is
 * refused instead of mended: whoever sent it, the amount that it stands for is not known.
 */
final class UsageFields {
  /** Far beyond any context window, and small enough that no sum of counts overflows. */
  static final long MAX_COUNT = 1_000_000_000_000L;

  /** An answer has a handful; the limit bounds what is kept. */
  static final int MAX_ITERATIONS = 1_000;

  /** Ids, models and the like are far shorter; a longer text counts as not sent. */
  private static final int MAX_TEXT_LENGTH = 256;

  private @Nullable Long input;
  private @Nullable Long output;
  private @Nullable Long cacheWrite;
  private @Nullable Long cacheWrite5m;
  private @Nullable Long cacheWrite1h;
  private @Nullable Long cacheRead;
  private @Nullable Long thinking;
  private @Nullable Long webSearches;
  private @Nullable Long webFetches;
  private @Nullable String serviceTier;
  private @Nullable String inferenceGeo;
  private @Nullable String speed;
  private @Nullable List<Iteration> iterations;

  /**
   * Reads a {@code usage} object.
   *
   * @param parser at the start of the object; afterwards at its end
   * @throws tools.jackson.core.JacksonException if this is no JSON or a count is absurd
   */
  static UsageFields read(JsonParser parser) {
    UsageFields fields = new UsageFields();
    fields.readObject(parser);
    return fields;
  }

  void overwriteWith(UsageFields later) {
    input = later.input == null ? input : later.input;
    output = later.output == null ? output : later.output;
    cacheWrite = later.cacheWrite == null ? cacheWrite : later.cacheWrite;
    cacheWrite5m = later.cacheWrite5m == null ? cacheWrite5m : later.cacheWrite5m;
    cacheWrite1h = later.cacheWrite1h == null ? cacheWrite1h : later.cacheWrite1h;
    cacheRead = later.cacheRead == null ? cacheRead : later.cacheRead;
    thinking = later.thinking == null ? thinking : later.thinking;
    webSearches = later.webSearches == null ? webSearches : later.webSearches;
    webFetches = later.webFetches == null ? webFetches : later.webFetches;
    serviceTier = later.serviceTier == null ? serviceTier : later.serviceTier;
    inferenceGeo = later.inferenceGeo == null ? inferenceGeo : later.inferenceGeo;
    speed = later.speed == null ? speed : later.speed;
    iterations = later.iterations == null ? iterations : later.iterations;
  }

  /** The usage, or null as long as the input, which every usage has, is missing. */
  @Nullable MessageUsage toUsage() {
    return toUsage(0);
  }

  /**
   * The same with no fewer web searches than this.
   *
   * @param seen searches whose results have come
   */
  @Nullable MessageUsage toUsage(long seen) {
    if (input == null) {
      return null;
    }
    long writes = cacheWrites();
    return new MessageUsage(
        input,
        outputTokens(),
        writes,
        Math.min(orZero(cacheWrite1h), writes),
        orZero(cacheRead),
        orZero(thinking),
        Math.max(orZero(webSearches), seen),
        orZero(webFetches),
        serviceTier,
        inferenceGeo,
        speed,
        iterations == null ? List.of() : iterations);
  }

  /** Whether the output, which every usage of a whole message has, has been told. */
  boolean tellsOutput() {
    return output != null;
  }

  /** Whether the number of searches has been told. */
  boolean tellsSearches() {
    return webSearches != null;
  }

  long outputTokens() {
    return orZero(output);
  }

  /** All cache writes: the total, or the sum of its parts where no total was sent. */
  private long cacheWrites() {
    return cacheWrite == null ? orZero(cacheWrite5m) + orZero(cacheWrite1h) : cacheWrite;
  }

  private void readObject(JsonParser parser) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (name) {
        case "input_tokens" -> input = count(parser, value);
        case "output_tokens" -> output = count(parser, value);
        case "cache_creation_input_tokens" -> cacheWrite = count(parser, value);
        case "cache_read_input_tokens" -> cacheRead = count(parser, value);
        case "cache_creation", "output_tokens_details", "server_tool_use" ->
            readDetails(parser, value);
        case "service_tier" -> serviceTier = text(parser, value);
        case "inference_geo" -> inferenceGeo = text(parser, value);
        case "speed" -> speed = text(parser, value);
        case "iterations" -> iterations = iterations(parser, value);
        default -> parser.skipChildren();
      }
    }
  }

  private void readDetails(JsonParser parser, JsonToken first) {
    if (!isObject(parser, first)) {
      return;
    }
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (name) {
        case "ephemeral_5m_input_tokens" -> cacheWrite5m = count(parser, value);
        case "ephemeral_1h_input_tokens" -> cacheWrite1h = count(parser, value);
        case "thinking_tokens" -> thinking = count(parser, value);
        case "web_search_requests" -> webSearches = count(parser, value);
        case "web_fetch_requests" -> webFetches = count(parser, value);
        default -> parser.skipChildren();
      }
    }
  }

  private static @Nullable List<Iteration> iterations(JsonParser parser, JsonToken first) {
    if (first == JsonToken.VALUE_NULL) {
      return null;
    }
    if (first != JsonToken.START_ARRAY) {
      throw unreadable(parser, "iterations is no list");
    }
    List<Iteration> iterations = new ArrayList<>();
    for (JsonToken item = parser.nextToken();
        item != JsonToken.END_ARRAY;
        item = parser.nextToken()) {
      if (item != JsonToken.START_OBJECT || iterations.size() == MAX_ITERATIONS) {
        throw unreadable(parser, "an iteration is no object, or there are too many");
      }
      iterations.add(iteration(parser));
    }
    return iterations;
  }

  private static Iteration iteration(JsonParser parser) {
    UsageFields counts = new UsageFields();
    String type = null;
    String model = null;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (name) {
        case "type" -> type = text(parser, value);
        case "model" -> model = text(parser, value);
        case "input_tokens" -> counts.input = count(parser, value);
        case "output_tokens" -> counts.output = count(parser, value);
        case "cache_creation_input_tokens" -> counts.cacheWrite = count(parser, value);
        case "cache_read_input_tokens" -> counts.cacheRead = count(parser, value);
        case "cache_creation" -> counts.readDetails(parser, value);
        default -> parser.skipChildren();
      }
    }
    long writes = counts.cacheWrites();
    return new Iteration(
        type == null ? "unknown" : type,
        model,
        orZero(counts.input),
        counts.outputTokens(),
        writes,
        Math.min(orZero(counts.cacheWrite1h), writes),
        orZero(counts.cacheRead));
  }

  /** A whole number, or null for {@code null}. */
  private static @Nullable Long count(JsonParser parser, JsonToken value) {
    if (value == JsonToken.VALUE_NULL) {
      return null;
    }
    if (value == JsonToken.VALUE_NUMBER_INT && parser.getNumberType() != NumberType.BIG_INTEGER) {
      long count = parser.getLongValue();
      if (count >= 0 && count <= MAX_COUNT) {
        return count;
      }
    }
    throw unreadable(parser, "a count is no whole number in range");
  }

  /** A text that is fit to be logged and stored; null for anything else. */
  static @Nullable String text(JsonParser parser, JsonToken value) {
    if (value == JsonToken.VALUE_STRING && parser.getStringLength() <= MAX_TEXT_LENGTH) {
      return WellFormed.repair(parser.getString());
    }
    parser.skipChildren();
    return null;
  }

  /** Whether an object begins here; {@code null} is none. */
  static boolean isObject(JsonParser parser, JsonToken value) {
    if (value != JsonToken.START_OBJECT && value != JsonToken.VALUE_NULL) {
      throw unreadable(parser, "a field is neither an object nor null");
    }
    return value == JsonToken.START_OBJECT;
  }

  static StreamReadException unreadable(JsonParser parser, String what) {
    return new StreamReadException(parser, what);
  }

  private static long orZero(@Nullable Long count) {
    return count == null ? 0 : count;
  }
}
