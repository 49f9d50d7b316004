package dev.headrace.relay;

import dev.headrace.messages.ApiError;
import dev.headrace.messages.EventConsumer;
import dev.headrace.messages.MessageEvent;
import dev.headrace.messages.UsageView;
import dev.headrace.output.Format;
import dev.headrace.output.SimpleTranslation;
import dev.headrace.output.Translation;
import dev.headrace.sse.SseEvent;
import dev.headrace.sse.SseReader;
import dev.headrace.upstream.Answer;
import dev.headrace.upstream.BodyDecoder;
import dev.headrace.upstream.HeaderField;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How the bytes of an answer become those of the client: as they are, or translated event by event
 * into another format; and who else reads along. The upstream's I/O thread feeds it; what it says
 * about the format any thread may ask.
 */
final class Delivery {

  private static final byte[] NOTHING = new byte[0];

  private final Format format;
  private final int maxEventBytes;
  private final Function<UsageView, Translation> translations;

  // Upstream I/O thread only, set when the answer begins.
  private @Nullable Translation translation;
  private List<EventConsumer> listeners = List.of();
  private @Nullable SseReader reader; // for those
  private @Nullable BodyDecoder decoder;

  /** Bytes taken in that no client's reading will pay back; below 0: the reverse. */
  private final AtomicInteger owed = new AtomicInteger();

  /**
   * @param translations makes the one for an answer; not asked for {@link Format#EVENTS}
   */
  Delivery(Format format, int maxEventBytes, Function<UsageView, Translation> translations) {
    this.format = format;
    this.maxEventBytes = maxEventBytes;
    this.translations = translations;
  }

  /** Whether the client gets other bytes than the upstream has sent. */
  boolean translates() {
    return format != Format.EVENTS;
  }

  /** Whether events and comments of ours can stand between what the client gets of this answer. */
  boolean takesEvents(Answer answer) {
    return format == Format.SIMPLE || (format == Format.EVENTS && answer.isEventStream());
  }

  /** Whether a stream can be begun before the upstream has answered. */
  boolean canBeginEarly() {
    return format != Format.TEXT; // it could not say what went wrong afterwards
  }

  /** Whether the client learns of an error event of the upstream's. */
  boolean passesErrorsOn() {
    return format != Format.TEXT;
  }

  /** The error with which the upstream has ended its answer; null as long as none could be read. */
  @Nullable ApiError upstreamError() {
    return translation == null ? null : translation.upstreamError();
  }

  /** The headers that go with the format. */
  List<HeaderField> headers(List<HeaderField> ofAnswer) {
    String contentType = format.contentType();
    if (contentType == null) {
      return ofAnswer;
    }
    List<HeaderField> headers = new ArrayList<>(ofAnswer);
    headers.removeIf(field -> field.is("content-encoding"));
    return ClientHeaders.with(headers, "content-type", contentType);
  }

  /** The event by which a stream of this format ends with an error; empty if it has none. */
  byte[] lastEvent(ApiError error) {
    return switch (format) {
      case EVENTS -> error.sseEvent();
      case SIMPLE -> SimpleTranslation.errorEvent(error);
      case TEXT -> NOTHING;
    };
  }

  /**
   * Takes the beginning of an answer.
   *
   * @param readAlong get every event too
   * @return false if the answer is nothing that can be translated
   */
  boolean begin(Answer answer, List<EventConsumer> readAlong) {
    listeners = readAlong;
    if (translates()) {
      translation = translations.apply(answer.usage());
    }
    if (translation == null && readAlong.isEmpty()) {
      return true;
    }
    SseReader events = new SseReader(maxEventBytes, this::onEvent);
    reader = events;
    decoder = BodyDecoder.of(answer.head(), events::feed);
    return !translates()
        || (answer.head().isEventStream() && (decoder != null || answer.head().isPlain()));
  }

  private void onEvent(SseEvent event) {
    MessageEvent kind = MessageEvent.of(event);
    if (translation != null) {
      translation.onEvent(kind, event);
    }
    for (EventConsumer listener : listeners) {
      listener.onEvent(kind, event);
    }
  }

  /** Reads the next bytes only for those who read along: the client has left. */
  void passBy(byte[] bytes, int offset, int length) {
    look(bytes, offset, length);
    if (translation != null) {
      translation.clear();
    }
  }

  private void look(byte[] bytes, int offset, int length) {
    if (decoder != null) {
      decoder.feed(bytes, offset, length);
    } else if (reader != null) {
      reader.feed(bytes, offset, length);
    }
  }

  /** Queues what the next bytes of the answer become; returns as {@link ClientStream#queue}. */
  int pass(ClientStream client, Answer answer, byte[] bytes, int offset, int length) {
    look(bytes, offset, length);
    Translation translated = translation;
    if (translated == null) {
      return client.queue(bytes, offset, length, placeOf(answer));
    }
    owed.addAndGet(length - translated.length());
    int waiting = client.queue(translated.output(), 0, translated.length(), placeOf(translated));
    translated.clear();
    return waiting;
  }

  /** Queues events of ours with which the answer is at its end. */
  void passLast(ClientStream client, byte[] events) {
    look(events, 0, events.length);
    Translation translated = translation;
    if (translated == null) {
      client.queue(events, 0, events.length, ClientQueue.Place.END);
    } else {
      client.queue(translated.output(), 0, translated.length(), ClientQueue.Place.END);
      translated.clear();
    }
  }

  private static ClientQueue.Place placeOf(Answer answer) {
    if (!answer.atBoundary()) {
      return ClientQueue.Place.INSIDE;
    }
    return answer.isStopped() || answer.hasErrorEvent()
        ? ClientQueue.Place.END
        : ClientQueue.Place.BOUNDARY;
  }

  private ClientQueue.Place placeOf(Translation translated) {
    if (translated.isEnded()) {
      return ClientQueue.Place.END;
    }
    return format == Format.SIMPLE ? ClientQueue.Place.BOUNDARY : ClientQueue.Place.INSIDE;
  }

  /** Why the answer cannot be translated any further; null when it can. */
  @Nullable String failure() {
    return translation == null ? null : translation.failure();
  }

  /**
   * How many bytes the upstream may send because what it has sent became fewer; counted once, and
   * in steps of at least this.
   */
  int takeCredit(int step) {
    return owed.get() < step ? 0 : owed.getAndSet(0);
  }

  /** Nothing more comes. */
  void end() {
    if (decoder != null) {
      decoder.close();
    }
  }
}
