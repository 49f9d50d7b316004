package dev.headrace.upstream;

import dev.headrace.config.GatewaySettings;
import dev.headrace.messages.ApiError;
import dev.headrace.messages.MessageBodyReader;
import dev.headrace.messages.UsageView;
import java.io.ByteArrayOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The upstream's answer to one attempt, as far as it has come: what kind of body it is, the first
 * bytes while they are held back, and whether it came to its proper end. Not thread-safe; once
 * something of it was passed on, only the upstream's I/O thread uses it.
 */
public final class Answer {

  /** What to do with an answer of which nothing has been sent yet. */
  enum Decision {
    /** Keep the bytes: it is not clear what they are the beginning of. */
    HOLD,
    /** Pass on what is held and all that follows. */
    COMMIT,
    /** An error event stands where the answer should begin: HTTP 200 does not mean success. */
    ERROR_EVENT,
    /** It is an error by its status, and longer than is held. */
    LONG_ERROR
  }

  private enum Body {
    /** An event stream that can be read: held until its first event, or its first content. */
    EVENTS,
    /**
     * JSON and the like: held whole when it is small, so that a cut one can still become an error.
     */
    WHOLE,
    /**
     * An event stream that is passed on as it is: a compressed one, which is decoded only to be
     * looked into, or one that is no message, whose events and end are not known to us.
     */
    OPAQUE
  }

  private final UpstreamResponseHead head;
  private final Body body;
  private final long holdBytes;
  private final StreamProgress progress;
  private final boolean followed; // what it means is known
  private final @Nullable MessageBodyReader message; // of an answer that is no stream
  private final @Nullable BodyDecoder decoder;
  private ByteArrayOutputStream held = new ByteArrayOutputStream(512);

  /**
   * @param metered whether the body is a message, whose usage counts
   */
  Answer(
      UpstreamResponseHead head,
      GatewaySettings.Buffers buffers,
      GatewaySettings.Hold hold,
      boolean metered) {
    this.head = head;
    this.holdBytes = buffers.hold().bytes();
    this.progress = new StreamProgress(buffers.maxEvent().toInt(), hold);
    if (!head.isEventStream() || head.status() != 200) {
      body = Body.WHOLE;
    } else {
      body = head.isPlain() && metered ? Body.EVENTS : Body.OPAQUE;
    }
    this.message =
        body == Body.WHOLE && metered && head.status() == 200 ? new MessageBodyReader() : null;
    this.followed = metered || body == Body.WHOLE;
    this.decoder = head.isPlain() || !followed ? null : BodyDecoder.of(head, this::look);
  }

  /** Status and headers. */
  public UpstreamResponseHead head() {
    return head;
  }

  /**
   * Whether this is a stream of events that we can follow, so that events of ours may stand between
   * them.
   */
  public boolean isEventStream() {
    return body == Body.EVENTS;
  }

  /** Takes the next bytes of an answer of which nothing has been sent yet. */
  Decision hold(byte[] bytes, int offset, int length) {
    held.write(bytes, offset, length);
    boolean full = held.size() > holdBytes;
    pass(bytes, offset, length);
    if (full && head.isError()) {
      return Decision.LONG_ERROR;
    }
    if (body != Body.EVENTS) {
      return body == Body.OPAQUE || full ? Decision.COMMIT : Decision.HOLD;
    }
    if (progress.firstError() != null) {
      return Decision.ERROR_EVENT;
    }
    return progress.begun() || full ? Decision.COMMIT : Decision.HOLD;
  }

  /** How many bytes are held back. */
  int heldBytes() {
    return held.size();
  }

  /** Whether events are held back that could be passed on now. */
  boolean holdsEvents() {
    return body == Body.EVENTS && progress.any();
  }

  /** Hands over all bytes held so far and lets go of them: a stream may live long. */
  byte[] takeHeld() {
    byte[] bytes = held.toByteArray();
    held = new ByteArrayOutputStream(0);
    return bytes;
  }

  /** Looks at bytes that are passed on. */
  void pass(byte[] bytes, int offset, int length) {
    if (decoder != null) {
      decoder.feed(bytes, offset, length);
    } else if (head.isPlain() && followed) {
      look(bytes, offset, length);
    }
  }

  private void look(byte[] bytes, int offset, int length) {
    if (body != Body.WHOLE) {
      progress.feed(bytes, offset, length);
    } else if (message != null) {
      message.feed(bytes, offset, length);
    }
  }

  /** Nothing more comes. */
  void end() {
    if (message != null) {
      message.end();
    }
    if (decoder != null) {
      decoder.close();
    }
  }

  /** Whether an event of ours could stand behind the bytes so far. */
  public boolean atBoundary() {
    return body == Body.EVENTS && progress.atBoundary();
  }

  /** Whether the message is whole: {@code message_stop} has come. Never true for other bodies. */
  public boolean isStopped() {
    return progress.stopped();
  }

  /** Whether an error event has come, by which the client knows that the message is not whole. */
  public boolean hasErrorEvent() {
    return progress.errorSeen();
  }

  /**
   * Whether the body ends in the middle of a message although its framing is complete, as far as
   * that can be known.
   */
  public boolean isIncomplete() {
    return body == Body.OPAQUE
        && decoder != null
        && !decoder.isBroken()
        && !progress.stopped()
        && !progress.errorSeen();
  }

  /** What the message has used so far. Any thread may ask. */
  public UsageView usage() {
    return message != null ? message : progress.usage();
  }

  /** How many events other than {@code ping} have come. */
  long events() {
    return progress.events();
  }

  /** The error that stood where the answer should begin, or null. */
  @Nullable ApiError firstError() {
    return progress.firstError();
  }

  /** The data of that event, as it came. */
  byte[] firstErrorJson() {
    return progress.firstErrorJson();
  }
}
