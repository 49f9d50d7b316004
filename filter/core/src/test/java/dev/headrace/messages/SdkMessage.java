package dev.headrace.messages;

import com.anthropic.core.ObjectMappers;
import com.anthropic.helpers.BetaMessageAccumulator;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.beta.messages.BetaRawMessageStreamEvent;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.List;

/** The message that the official SDK's accumulator makes of a stream, as JSON. */
public final class SdkMessage {
  private static final JsonMapper MAPPER = ObjectMappers.jsonMapper();

  private SdkMessage() {}

  /** By the accumulator of the beta methods, which knows all that the other one knows. */
  public static String beta(List<RecordedEvent> events) {
    BetaMessageAccumulator accumulator = BetaMessageAccumulator.create();
    try {
      for (RecordedEvent event : events) {
        if (event.reachesSdkAccumulator()) {
          accumulator.accumulate(MAPPER.readValue(event.text(), BetaRawMessageStreamEvent.class));
        }
      }
      return MAPPER.writeValueAsString(accumulator.message());
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  /** By the accumulator of the methods that are generally available. */
  public static String stable(List<RecordedEvent> events) {
    MessageAccumulator accumulator = MessageAccumulator.create();
    try {
      for (RecordedEvent event : events) {
        if (event.reachesSdkAccumulator()) {
          accumulator.accumulate(MAPPER.readValue(event.text(), RawMessageStreamEvent.class));
        }
      }
      return MAPPER.writeValueAsString(accumulator.message());
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }
}
