package dev.headrace.messages;

import dev.headrace.sse.SseEvent;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Reads the usage of one streamed answer from its passing events, without holding them. Rules: API
 * reference, "Stream", "Reassembling the final message" and "Usage and cost", as of 2026-11-22.
 *
 * <p>Events are given by one thread, the one that has read them; any thread may ask. One instance
 * per answer.
 *
 * <p>A {@code message_start} or {@code message_delta} that was too large or is broken makes the
 * usage unreadable, and changes nothing else. Any other event that is too large or broken does not:
 * it carries no totals, so the counting goes on, and those that follow are as exact as ever.
 */
public final class UsageReader implements EventConsumer, UsageView {

  // Of the thread that gives the events.
  private final UsageFields fields = new UsageFields();
  private final DeltaText deltas = new DeltaText();
  private boolean started;
  private boolean totalsCame;
  private boolean finalTotals;
  private long webSearches; // seen
  private boolean searchesTold; // by the API itself
  private boolean stopped;

  // Written by that thread, read by any. The text is counted apart from the other facts, because
  // that happens for every delta and must not allocate.
  private volatile MessageFacts facts = MessageFacts.NONE;
  private volatile long characters;
  private volatile boolean output;

  @Override
  public void onEvent(MessageEvent kind, SseEvent event) {
    if (stopped) {
      return; // nothing that may follow belongs to the message
    }
    switch (kind) {
      case CONTENT_BLOCK_DELTA -> countDelta(event);
      case CONTENT_BLOCK_START -> readBlockStart(event);
      case MESSAGE_START -> readStart(event);
      case MESSAGE_DELTA -> readDelta(event);
      case MESSAGE_STOP -> readStop();
      default -> {}
    }
  }

  private void countDelta(SseEvent event) {
    int count = deltas.count(event.data(), event.dataOffset(), event.dataLength());
    if (count > 0) {
      long next = characters + count;
      characters = next;
    }
    if (!output && (count != 0 || event.truncated())) {
      output = true;
    }
  }

  private void readBlockStart(SseEvent event) {
    ContentBlock block = new ContentBlock();
    try (JsonParser parser = parser(event)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
          String name = parser.currentName();
          JsonToken value = parser.nextToken();
          if (name.equals("content_block") && value == JsonToken.START_OBJECT) {
            block.read(parser);
          } else {
            parser.skipChildren();
          }
        }
      }
    } catch (JacksonException e) {
      // Cut off or no JSON: what was read until here decides.
    }
    if (block.isOutput()) {
      output = true;
    }
    String model = block.fallbackModel();
    webSearches += block.isWebSearch() ? 1 : 0;
    if (model != null || block.isWebSearch()) {
      publish(
          model == null ? facts.model() : model,
          facts.messageId(),
          facts.stopReason(),
          facts.unreadable());
    }
  }

  private void readStart(SseEvent event) {
    MessageHead message = started || event.truncated() ? null : startOf(event);
    if (message == null) {
      publishUnreadable();
      return;
    }
    started = true;
    if (message.usage != null) {
      fields.overwriteWith(message.usage);
    }
    publish(message.model, message.id, message.stopReason, facts.unreadable());
  }

  private static @Nullable MessageHead startOf(SseEvent event) {
    try (JsonParser parser = parser(event)) {
      MessageHead message = null;
      startObject(parser);
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        if (name.equals("message") && value == JsonToken.START_OBJECT) {
          message = new MessageHead();
          message.read(parser);
        } else {
          parser.skipChildren();
        }
      }
      endOfData(parser);
      return message;
    } catch (JacksonException e) {
      return null;
    }
  }

  private void readDelta(SseEvent event) {
    MessageHead delta = event.truncated() ? null : deltaOf(event);
    if (delta == null) {
      publishUnreadable();
      return;
    }
    if (delta.usage != null) {
      fields.overwriteWith(delta.usage);
      boolean totals = delta.usage.tellsOutput(); // else the placeholder of the start still stands
      totalsCame |= totals;
      finalTotals |= totals && delta.stopReason != null;
      searchesTold |= delta.usage.tellsSearches();
    }
    String stopReason = delta.stopReason == null ? facts.stopReason() : delta.stopReason;
    publish(facts.model(), facts.messageId(), stopReason, facts.unreadable());
  }

  private static @Nullable MessageHead deltaOf(SseEvent event) {
    try (JsonParser parser = parser(event)) {
      MessageHead head = new MessageHead();
      startObject(parser);
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        if (name.equals("delta") && UsageFields.isObject(parser, value)) {
          head.readStopReason(parser);
        } else if (name.equals("usage")) {
          head.readUsage(parser, value);
        } else {
          parser.skipChildren();
        }
      }
      endOfData(parser);
      return head;
    } catch (JacksonException e) {
      return null;
    }
  }

  private void readStop() {
    stopped = true;
    finalTotals |= totalsCame;
    publish(facts.model(), facts.messageId(), facts.stopReason(), facts.unreadable());
  }

  private void publishUnreadable() {
    publish(facts.model(), facts.messageId(), facts.stopReason(), true);
  }

  private void publish(
      @Nullable String model,
      @Nullable String messageId,
      @Nullable String stopReason,
      boolean unreadable) {
    // Searches that were seen count until the API tells how many there were.
    MessageUsage usage = started ? fields.toUsage(searchesTold ? 0 : webSearches) : null;
    facts =
        new MessageFacts(
            usage,
            model,
            messageId,
            stopReason,
            totalsCame ? fields.outputTokens() : 0,
            finalTotals && usage != null && !unreadable,
            unreadable);
  }

  private static JsonParser parser(SseEvent event) {
    return JsonInput.answer(event.data(), event.dataOffset(), event.dataLength());
  }

  private static void startObject(JsonParser parser) {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw UsageFields.unreadable(parser, "the event is no object");
    }
  }

  private static void endOfData(JsonParser parser) {
    if (parser.nextToken() != null) {
      throw UsageFields.unreadable(parser, "the event goes on after its object");
    }
  }

  @Override
  public @Nullable MessageUsage usage() {
    return facts.usage();
  }

  @Override
  public @Nullable String model() {
    return facts.model();
  }

  @Override
  public @Nullable String messageId() {
    return facts.messageId();
  }

  @Override
  public @Nullable String stopReason() {
    return facts.stopReason();
  }

  /**
   * Whether the totals are final: a {@code message_delta} with a stop reason and usage has come, or
   * one with usage and then {@code message_stop}. Never when something was unreadable.
   */
  @Override
  public boolean isFinal() {
    return facts.isFinal();
  }

  @Override
  public boolean unreadable() {
    return facts.unreadable();
  }

  @Override
  public long estimatedOutputTokens() {
    return facts.estimatedOutputTokens(characters);
  }

  @Override
  public boolean hasOutput() {
    return output;
  }

  @Override
  public UsageView snapshot() {
    MessageFacts now = facts; // first: output comes before the reason to stop
    return new UsageSnapshot(now, now.estimatedOutputTokens(characters), output);
  }
}
