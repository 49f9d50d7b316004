package dev.headrace.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What an {@link Answer} holds. Mutable only between {@link #copy} and the constructor of the
 * answer; -1 means "not set" for every number.
 */
final class AnswerSpec {
  enum Kind {
    /** A message made of {@link #parts}. */
    MESSAGE,
    /** The events of {@link #rawEvents}, as they are. */
    EVENTS,
    /** The bytes of {@link #body} with {@link #status} and {@link #contentType}. */
    BODY,
    /** An error object of {@link #errorType}, with {@link #status}. */
    ERROR,
    /** The bytes of {@link #body} instead of a whole HTTP response. */
    RAW_HTTP
  }

  enum Ending {
    /** The body ends as HTTP wants it; the connection stays usable. */
    CLEAN,
    /** The connection closes (FIN) before the body is complete. */
    CUT,
    /** The connection is reset (RST). */
    RESET
  }

  enum Compression {
    IF_ACCEPTED,
    FORCED,
    /** Compressed without saying so. */
    HIDDEN,
    OFF
  }

  Kind kind = Kind.MESSAGE;

  // What is said.
  List<AnswerPart> parts = List.of();
  List<WireEvent> rawEvents = List.of();
  boolean tokenwise;
  boolean unknownThings;
  @Nullable String model;
  @Nullable String stopReason;
  @Nullable String stopSequence;
  @Nullable String refusalCategory;
  boolean refused;
  @Nullable Usage usage;
  @Nullable Usage usageAtStart;

  // The HTTP side.
  int status = 200;
  String errorType = "api_error";
  @Nullable String errorMessage;
  @Nullable String errorCode;
  byte[] body = {};
  String contentType = "application/json";
  List<Header> headers = new ArrayList<>();
  List<String> removedHeaders = new ArrayList<>();
  Compression compression = Compression.IF_ACCEPTED;
  boolean connectionClose;
  boolean silentClose;

  // Time.
  long beforeHeadNanos = -1;
  boolean stallBeforeHead;
  @Nullable Ending insteadOfHead;
  TreeMap<Integer, Long> pauseAfterEvent = new TreeMap<>();
  @Nullable TokenPace pace;

  // Where it goes wrong, counted in scripted events.
  int errorAfterEvents = -1;
  String streamErrorType = "overloaded_error";
  int endAfterEvents = -1;
  Ending endAs = Ending.CLEAN;
  int stallAfterEvents = -1;
  long stallPingNanos = -1;

  // Where it goes wrong, counted in bytes of the body.
  long byteLimit = -1;
  Ending atByteLimit = Ending.CUT;
  long[] splitAt = {};
  int splitEvery = -1;
  int trickleBytes = -1;
  long trickleGapNanos;

  // How events are written.
  EventStyle style = EventStyle.PLAIN;

  AnswerSpec copy() {
    AnswerSpec copy = new AnswerSpec();
    copy.kind = kind;
    copy.parts = parts;
    copy.rawEvents = rawEvents;
    copy.tokenwise = tokenwise;
    copy.unknownThings = unknownThings;
    copy.model = model;
    copy.stopReason = stopReason;
    copy.stopSequence = stopSequence;
    copy.refusalCategory = refusalCategory;
    copy.refused = refused;
    copy.usage = usage;
    copy.usageAtStart = usageAtStart;
    copy.status = status;
    copy.errorType = errorType;
    copy.errorMessage = errorMessage;
    copy.errorCode = errorCode;
    copy.body = body;
    copy.contentType = contentType;
    copy.headers = new ArrayList<>(headers);
    copy.removedHeaders = new ArrayList<>(removedHeaders);
    copy.compression = compression;
    copy.connectionClose = connectionClose;
    copy.silentClose = silentClose;
    copy.beforeHeadNanos = beforeHeadNanos;
    copy.stallBeforeHead = stallBeforeHead;
    copy.insteadOfHead = insteadOfHead;
    copy.pauseAfterEvent = new TreeMap<>(pauseAfterEvent);
    copy.pace = pace;
    copy.errorAfterEvents = errorAfterEvents;
    copy.streamErrorType = streamErrorType;
    copy.endAfterEvents = endAfterEvents;
    copy.endAs = endAs;
    copy.stallAfterEvents = stallAfterEvents;
    copy.stallPingNanos = stallPingNanos;
    copy.byteLimit = byteLimit;
    copy.atByteLimit = atByteLimit;
    copy.splitAt = splitAt;
    copy.splitEvery = splitEvery;
    copy.trickleBytes = trickleBytes;
    copy.trickleGapNanos = trickleGapNanos;
    copy.style = style;
    return copy;
  }

  void addPart(AnswerPart part) {
    List<AnswerPart> longer = new ArrayList<>(parts);
    longer.add(part);
    parts = List.copyOf(longer);
  }
}
