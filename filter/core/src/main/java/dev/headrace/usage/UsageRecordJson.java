package dev.headrace.usage;

import static java.util.Objects.requireNonNull;

import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Tokens;
import dev.headrace.spi.UsageRecord;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.core.util.JsonRecyclerPools;

/**
 * A usage record as one line of JSON, for the log and for the journal. ASCII only, so that neither
 * a log's charset nor half a surrogate pair in a name can spoil a line. What is null is left out,
 * except for the cost: {@code "cost_usd":null} is an unknown price. The cost is a plain decimal
 * number of as many digits as the record has. Thread-safe.
 */
final class UsageRecordJson {

  /** Not thread-local: see {@code messages.JsonInput}. */
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .recyclerPool(JsonRecyclerPools.newBoundedPool(8))
          .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
          .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(5).maxNumberLength(100).build())
          .build();

  private UsageRecordJson() {}

  /** The record as JSON on one line, without a line break at its end. */
  static String write(UsageRecord usage) {
    StringWriter text = new StringWriter(700);
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeStringProperty("id", usage.id());
      json.writeStringProperty("kind", usage.kind().name());
      json.writeStringProperty("exchange_id", usage.exchangeId());
      json.writeStringProperty("started_at", usage.startedAt().toString());
      writeIfAny(json, "user", usage.user());
      writeIfAny(json, "role", usage.role());
      writeIfAny(json, "preset", usage.preset());
      writeIfAny(json, "model_asked", usage.modelAsked());
      writeIfAny(json, "model_served", usage.modelServed());
      Tokens tokens = usage.tokens();
      json.writeNumberProperty("input_tokens", tokens.input());
      json.writeNumberProperty("output_tokens", tokens.output());
      json.writeNumberProperty("cache_read_tokens", tokens.cacheRead());
      json.writeNumberProperty("cache_write_5m_tokens", tokens.cacheWrite5m());
      json.writeNumberProperty("cache_write_1h_tokens", tokens.cacheWrite1h());
      json.writeNumberProperty("thinking_tokens", tokens.thinking());
      json.writeNumberProperty("web_searches", tokens.webSearches());
      json.writeNumberProperty("web_fetches", tokens.webFetches());
      json.writeName("cost_usd");
      if (usage.costUsd() == null) {
        json.writeNull();
      } else {
        json.writeNumber(usage.costUsd());
      }
      json.writeStringProperty("prices", usage.prices());
      json.writeStringProperty("accuracy", usage.accuracy().name());
      json.writeStringProperty("outcome", usage.outcome());
      json.writeStringProperty("outcome_detail", usage.outcomeDetail());
      writeIfAny(json, "stop_reason", usage.stopReason());
      json.writeNumberProperty("status", usage.status());
      json.writeNumberProperty("attempts", usage.attempts());
      json.writeNumberProperty("first_event_millis", usage.firstEventMillis());
      json.writeNumberProperty("duration_millis", usage.durationMillis());
      writeIfAny(json, "upstream_request_id", usage.upstreamRequestId());
      writeIfAny(json, "message_id", usage.messageId());
      writeIfAny(json, "service_tier", usage.serviceTier());
      writeIfAny(json, "inference_geo", usage.inferenceGeo());
      writeIfAny(json, "speed", usage.speed());
      json.writeEndObject();
    }
    return text.toString();
  }

  private static void writeIfAny(JsonGenerator json, String name, @Nullable String value) {
    if (value != null) {
      json.writeStringProperty(name, value);
    }
  }

  /**
   * Reads what {@link #write} has written; fields that it does not know are skipped.
   *
   * @throws IllegalArgumentException if it is no usage record; the message does not repeat it
   */
  static UsageRecord read(String line) {
    try {
      return toRecord(fields(line));
    } catch (JacksonException | DateTimeException | NullPointerException e) {
      throw new IllegalArgumentException("not a usage record", e);
    }
  }

  /** The fields as text; those that are null or no scalars are left out. */
  private static Map<String, String> fields(String line) {
    Map<String, String> fields = new HashMap<>();
    try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), line)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new IllegalArgumentException("not a JSON object");
      }
      while (json.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = json.currentName();
        JsonToken value = json.nextToken();
        if (value.isStructStart()) {
          json.skipChildren();
        } else if (value != JsonToken.VALUE_NULL) {
          fields.put(name, json.getString());
        }
      }
    }
    return fields;
  }

  private static UsageRecord toRecord(Map<String, String> fields) {
    String cost = fields.get("cost_usd");
    return new UsageRecord(
        text(fields, "id"),
        UsageRecord.Kind.valueOf(text(fields, "kind")),
        text(fields, "exchange_id"),
        Instant.parse(text(fields, "started_at")),
        fields.get("user"),
        fields.get("role"),
        fields.get("preset"),
        fields.get("model_asked"),
        fields.get("model_served"),
        new Tokens(
            number(fields, "input_tokens"),
            number(fields, "output_tokens"),
            number(fields, "cache_read_tokens"),
            number(fields, "cache_write_5m_tokens"),
            number(fields, "cache_write_1h_tokens"),
            number(fields, "thinking_tokens"),
            number(fields, "web_searches"),
            number(fields, "web_fetches")),
        cost == null ? null : new BigDecimal(cost),
        text(fields, "prices"),
        Accuracy.valueOf(text(fields, "accuracy")),
        text(fields, "outcome"),
        text(fields, "outcome_detail"),
        fields.get("stop_reason"),
        (int) number(fields, "status"),
        (int) number(fields, "attempts"),
        number(fields, "first_event_millis"),
        number(fields, "duration_millis"),
        fields.get("upstream_request_id"),
        fields.get("message_id"),
        fields.get("service_tier"),
        fields.get("inference_geo"),
        fields.get("speed"));
  }

  private static String text(Map<String, String> fields, String name) {
    return requireNonNull(fields.get(name), name);
  }

  private static long number(Map<String, String> fields, String name) {
    return Long.parseLong(text(fields, name));
  }
}
