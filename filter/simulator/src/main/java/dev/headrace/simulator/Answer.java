package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the simulator answers to one request: a message, an error or raw bytes, and what goes wrong
 * on the way. Immutable and thread-safe; each method returns a new answer.
 *
 * <p>A message answers a request with {@code "stream":true} as events and any other as JSON. Events
 * are counted as scripted, pings of the script included: a one-delta text is {@code message_start},
 * {@code content_block_start}, {@code ping}, {@code content_block_delta}, {@code
 * content_block_stop}, {@code message_delta}, {@code message_stop}, so {@code
 * cutCleanAfterEvents(4)} ends it after the text. Bytes are counted in the response body, after
 * compression and before chunked framing, from 0.
 *
 * <p>In a JSON answer pauses and pace add up before the head, an error in the stream becomes the
 * HTTP error of its type after as long, a stall or an end after n events happens in the middle of
 * the body, and byte faults apply as they are.
 */
public final class Answer {
  private final AnswerSpec spec;
  // Rendered once, on first use, by whichever event loop comes first; both would render the same.
  // Null also when each request needs ids of its own.
  private volatile @Nullable BlockEvents blocks;

  private Answer(AnswerSpec spec) {
    this.spec = spec;
  }

  // ---- Messages -------------------------------------------------------------------------------

  /** A message without content. */
  public static Answer empty() {
    return new Answer(new AnswerSpec());
  }

  /** A text block; each argument is one delta. */
  public static Answer text(String delta, String... more) {
    return empty().thenText(delta, more);
  }

  /** A thinking block with its signature; each argument is one delta. */
  public static Answer thinking(String delta, String... more) {
    return empty().thenThinking(delta, more);
  }

  /** A thinking block whose text is not shown: start, signature, stop. */
  public static Answer omittedThinking() {
    return empty().thenOmittedThinking();
  }

  /** A redacted thinking block with this opaque data. */
  public static Answer redactedThinking(String data) {
    return empty().thenRedactedThinking(data);
  }

  /**
   * A call of one of the client's tools.
   *
   * @param jsonInput the arguments; sent as they are, so that a test may cut them short
   */
  public static Answer tool(String name, String jsonInput) {
    return empty().thenTool(name, jsonInput);
  }

  /** A web search by the server: the call and its results; one invented result when none given. */
  public static Answer webSearch(String query, SearchResult... results) {
    return empty().thenWebSearch(query, results);
  }

  /**
   * A refusal: stop reason {@code refusal} with details.
   *
   * @param category such as {@code cyber}; null for none
   */
  public static Answer refusal(@Nullable String category) {
    return empty().thenRefusal(category);
  }

  /** More text: in the open text block, or in a new one. Each argument is one delta. */
  public Answer thenText(String delta, String... more) {
    return part(new AnswerPart.Text(list(delta, more)));
  }

  /** A text block that cites a search result. */
  public Answer thenCitedText(String text, SearchResult source) {
    return part(new AnswerPart.CitedText(text, source));
  }

  /** A further thinking block; each argument is one delta. */
  public Answer thenThinking(String delta, String... more) {
    return part(new AnswerPart.Thinking(list(delta, more)));
  }

  /** A further thinking block whose text is not shown. */
  public Answer thenOmittedThinking() {
    return part(new AnswerPart.Thinking(List.of()));
  }

  /** A further redacted thinking block. */
  public Answer thenRedactedThinking(String data) {
    return part(new AnswerPart.RedactedThinking(Objects.requireNonNull(data, "data")));
  }

  /** A further tool call; its arguments come in pieces of about twelve characters. */
  public Answer thenTool(String name, String jsonInput) {
    Objects.requireNonNull(name, "name");
    return part(new AnswerPart.Tool(name, TextPieces.ofLength(jsonInput, 12)));
  }

  /** A further web search by the server. */
  public Answer thenWebSearch(String query, SearchResult... results) {
    List<SearchResult> hits =
        results.length > 0
            ? List.of(results)
            : List.of(
                new SearchResult(
                    "About " + query,
                    "https://search.example/" + Math.floorMod(query.hashCode(), 10_000),
                    "What there is to know about " + query + "."));
    return part(new AnswerPart.WebSearch(query, hits));
  }

  /** Ends the message as a refusal, after what was said so far. */
  public Answer thenRefusal(@Nullable String category) {
    return change(
        s -> {
          s.refused = true;
          s.refusalCategory = category;
          s.stopReason = "refusal";
        });
  }

  /** A block with exactly this JSON and no deltas, for block types that have no method here. */
  public Answer thenBlock(String json) {
    return part(new AnswerPart.Block(Objects.requireNonNull(json, "json")));
  }

  /** One text delta of this many bytes: a very large single event. */
  public Answer largeEvent(int bytes) {
    return part(new AnswerPart.LargeDelta(positive("bytes", bytes)));
  }

  /**
   * Text deltas of some KiB each, offered as fast as the client reads, until they come to this many
   * bytes or the client is gone. They count as one scripted event. Memory stays bounded whatever
   * the total.
   */
  public Answer flood(long totalBytes) {
    if (totalBytes <= 0) {
      throw new IllegalArgumentException("totalBytes: " + totalBytes + " (expected: above 0)");
    }
    return part(new AnswerPart.Flood(totalBytes));
  }

  /** Sends every text and thinking part in pieces of about one token. */
  public Answer tokenwise() {
    return change(s -> s.tokenwise = true);
  }

  /** The {@code stop_reason}; otherwise it follows from the content. */
  public Answer stopReason(String reason) {
    return change(s -> s.stopReason = reason);
  }

  /** Stop reason {@code stop_sequence} with this sequence. */
  public Answer stopSequence(String sequence) {
    return change(
        s -> {
          s.stopReason = "stop_sequence";
          s.stopSequence = sequence;
        });
  }

  /** The model that the answer names; otherwise the one of the request. */
  public Answer model(String model) {
    return change(s -> s.model = model);
  }

  /** The final totals; otherwise they are estimated from the request and the content. */
  public Answer usage(Usage totals) {
    return change(s -> s.usage = totals);
  }

  /** Final input and output tokens, nothing cached. */
  public Answer usage(long inputTokens, long outputTokens) {
    return usage(Usage.of(inputTokens, outputTokens));
  }

  /** What {@code message_start} says; otherwise the final input with a placeholder of output. */
  public Answer usageAtStart(Usage atStart) {
    return change(s -> s.usageAtStart = atStart);
  }

  /** Adds an unknown event, block type, delta type and usage fields. */
  public Answer unknownThings() {
    return change(s -> s.unknownThings = true);
  }

  // ---- Raw streams ----------------------------------------------------------------------------

  /** A whole stream, sent byte by byte as given; see {@link Transcripts}. */
  public static Answer transcript(byte[] sse) {
    return events(new AnswerSpec(), TranscriptSplitter.split(sse));
  }

  /** A whole stream, sent as given in UTF-8. */
  public static Answer transcript(String sse) {
    return transcript(sse.getBytes(UTF_8));
  }

  /** A whole stream of these events; nothing is added. */
  public static Answer events(List<ClaudeEvent> events) {
    StringBuilder sse = new StringBuilder();
    for (ClaudeEvent event : events) {
      sse.append("event: ").append(event.name()).append('\n');
      sse.append("data: ").append(event.data()).append("\n\n");
    }
    return transcript(sse.toString());
  }

  private static Answer events(AnswerSpec spec, List<WireEvent> events) {
    spec.kind = AnswerSpec.Kind.EVENTS;
    spec.rawEvents = List.copyOf(events);
    return new Answer(spec);
  }

  // ---- Other HTTP answers ---------------------------------------------------------------------

  /**
   * The API's error for an HTTP status, such as 529. A 429 carries {@code retry-after: 1} and
   * {@code x-should-retry: true}, as the API's rate limits do; change them with {@link
   * #retryAfter}, {@link #shouldRetry} and {@link #withoutHeader}. A 413 of the API comes from the
   * edge: see {@link #edge413}.
   */
  public static Answer status(int status) {
    ErrorType type = ErrorType.ofStatus(status);
    Answer answer = error(status, type.type, type.message);
    return status == 429 ? answer.retryAfter(Duration.ofSeconds(1)).shouldRetry(true) : answer;
  }

  /** An error object with any status, type and message. */
  public static Answer error(int status, String type, String message) {
    AnswerSpec spec = new AnswerSpec();
    spec.kind = AnswerSpec.Kind.ERROR;
    spec.status = status;
    spec.errorType = Objects.requireNonNull(type, "type");
    spec.errorMessage = Objects.requireNonNull(message, "message");
    return new Answer(spec);
  }

  /** A 429 of a spend limit: no {@code retry-after}, it fails until somebody acts. */
  public static Answer spendLimit() {
    return error(
            429,
            ErrorType.RATE_LIMIT.type,
            "This request would exceed your organization's monthly spend limit.")
        .errorCode("enforced_spend_limit_reached");
  }

  /** The edge's HTML page with this status. */
  public static Answer html(int status) {
    String page =
        "<html>\r\n<head><title>%1$d</title></head>\r\n<body>\r\n<center><h1>%1$d</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n";
    return body(status, "text/html; charset=UTF-8", page.formatted(status).getBytes(UTF_8))
        .withoutHeader("request-id");
  }

  /** The edge's 413: a body without the outer type and without a request id. */
  public static Answer edge413() {
    return body(
            413,
            "application/json",
            "{\"error\":{\"type\":\"request_too_large\",\"message\":\"Request exceeds the maximum size\"}}"
                .getBytes(UTF_8))
        .withoutHeader("request-id");
  }

  /** This JSON with this status, whatever the request asked for. */
  public static Answer json(int status, String json) {
    return body(status, "application/json", json.getBytes(UTF_8));
  }

  /** This body with this status and content type. */
  public static Answer body(int status, String contentType, byte[] body) {
    AnswerSpec spec = new AnswerSpec();
    spec.kind = AnswerSpec.Kind.BODY;
    spec.status = status;
    spec.contentType = contentType;
    spec.body = body.clone();
    return new Answer(spec);
  }

  /** These bytes instead of an HTTP response; the connection closes after them. */
  public static Answer rawHttp(byte[] response) {
    AnswerSpec spec = new AnswerSpec();
    spec.kind = AnswerSpec.Kind.RAW_HTTP;
    spec.body = response.clone();
    return new Answer(spec);
  }

  /** The {@code details.error_code} of an error object. */
  public Answer errorCode(String code) {
    return change(s -> s.errorCode = code);
  }

  /** The {@code retry-after} header, in whole seconds. */
  public Answer retryAfter(Duration wait) {
    return header("retry-after", Long.toString(wait.toSeconds()));
  }

  /** The {@code x-should-retry} header. */
  public Answer shouldRetry(boolean retry) {
    return header("x-should-retry", Boolean.toString(retry));
  }

  /** A response header in place of any of that name. */
  public Answer header(String name, String value) {
    return change(
        s -> {
          s.headers.removeIf(h -> h.name().equalsIgnoreCase(name));
          s.headers.add(new Header(name, value));
        });
  }

  /** Leaves out a header that the simulator would send. */
  public Answer withoutHeader(String name) {
    return change(
        s -> {
          s.headers.removeIf(h -> h.name().equalsIgnoreCase(name));
          s.removedHeaders.add(name);
        });
  }

  /** Says {@code Connection: close} and closes after the answer. */
  public Answer connectionClose() {
    return change(s -> s.connectionClose = true);
  }

  /** Closes after the answer without having said so, as an idle timeout does at a bad moment. */
  public Answer closeWithoutNotice() {
    return change(s -> s.silentClose = true);
  }

  /** Compresses with gzip even if the request does not allow it. */
  public Answer forcedGzip() {
    return change(s -> s.compression = AnswerSpec.Compression.FORCED);
  }

  /** Compresses with gzip and does not say so. */
  public Answer hiddenGzip() {
    return change(s -> s.compression = AnswerSpec.Compression.HIDDEN);
  }

  /** Does not compress, whatever the request allows. */
  public Answer withoutGzip() {
    return change(s -> s.compression = AnswerSpec.Compression.OFF);
  }

  // ---- Time -----------------------------------------------------------------------------------

  /** Waits before the response head; replaces the simulator's first-token delay. */
  public Answer beforeHead(Duration wait) {
    return change(s -> s.beforeHeadNanos = nanos(wait));
  }

  /** Never answers: no head, no byte. */
  public Answer stallBeforeHead() {
    return change(s -> s.stallBeforeHead = true);
  }

  /** Silence at this place of the script; a long one has pings in it, as in the real stream. */
  public Answer pause(Duration wait) {
    return part(new AnswerPart.Pause(nanos(wait)));
  }

  /** Silence after n scripted events. */
  public Answer pauseAfterEvents(int events, Duration wait) {
    return change(s -> s.pauseAfterEvent.put(notNegative("events", events), nanos(wait)));
  }

  /** Deltas at this even rate; replaces the simulator's pace. Other events wait for nothing. */
  public Answer paced(double eventsPerSecond) {
    return pace(TokenPace.of(eventsPerSecond));
  }

  /** Deltas at this pace; {@link TokenPace#FULL_SPEED} overrides a pace of the simulator. */
  public Answer pace(TokenPace pace) {
    return change(s -> s.pace = Objects.requireNonNull(pace, "pace"));
  }

  // ---- What goes wrong ------------------------------------------------------------------------

  /** The stream's first event is this error; the HTTP status is 200. */
  public static Answer errorFirst(String type) {
    return empty().errorAfterEvents(0, type);
  }

  /** The error event comes right after {@code message_start}. */
  public Answer errorAsSecondEvent(String type) {
    return errorAfterEvents(1, type);
  }

  /** After n scripted events comes this error event, then the end of the body. */
  public Answer errorAfterEvents(int events, String type) {
    return change(
        s -> {
          s.errorAfterEvents = notNegative("events", events);
          s.streamErrorType = Objects.requireNonNull(type, "type");
        });
  }

  /** Says nothing more after n scripted events and keeps the connection open. */
  public Answer stallAfterEvents(int events) {
    return change(s -> s.stallAfterEvents = notNegative("events", events));
  }

  /** Sends pings at this interval while stalled. */
  public Answer withPings(Duration interval) {
    return change(s -> s.stallPingNanos = nanos(interval));
  }

  /** Ends the body cleanly after n scripted events, without {@code message_stop}. */
  public Answer cutCleanAfterEvents(int events) {
    return endAfterEvents(events, AnswerSpec.Ending.CLEAN);
  }

  /** Closes the connection after n scripted events, without the last chunk. */
  public Answer cutAfterEvents(int events) {
    return endAfterEvents(events, AnswerSpec.Ending.CUT);
  }

  /** Resets the connection after n scripted events. */
  public Answer resetAfterEvents(int events) {
    return endAfterEvents(events, AnswerSpec.Ending.RESET);
  }

  /** Closes the connection after this many bytes of the body, without the last chunk. */
  public Answer cutAtByte(long bytes) {
    return endAtByte(bytes, AnswerSpec.Ending.CUT);
  }

  /** Resets the connection (RST) after this many bytes of the body. */
  public Answer resetAtByte(long bytes) {
    return endAtByte(bytes, AnswerSpec.Ending.RESET);
  }

  /** Closes the connection instead of answering. */
  public Answer closeBeforeHead() {
    return change(s -> s.insteadOfHead = AnswerSpec.Ending.CUT);
  }

  /** Resets the connection instead of answering. */
  public Answer resetBeforeHead() {
    return change(s -> s.insteadOfHead = AnswerSpec.Ending.RESET);
  }

  /**
   * Writes this many bytes at a time, each in a TCP segment of its own, with a gap between writes.
   */
  public Answer trickle(int bytesPerWrite, Duration gap) {
    return change(
        s -> {
          s.trickleBytes = positive("bytesPerWrite", bytesPerWrite);
          s.trickleGapNanos = nanos(gap);
        });
  }

  /** Ends a TCP write at each of these bytes of the body. */
  public Answer splitAt(int... byteOffsets) {
    long[] sorted = Arrays.stream(byteOffsets).sorted().asLongStream().toArray();
    return change(s -> s.splitAt = sorted);
  }

  /** Writes n bytes at a time, each in a TCP segment of its own: 1 splits every character. */
  public Answer splitEvery(int bytes) {
    return change(s -> s.splitEvery = positive("bytes", bytes));
  }

  /** Starts each text delta with {@code t=<System.nanoTime()>;}, taken when it is written. */
  public Answer timestamps() {
    return change(s -> s.style = new EventStyle(true, s.style.crlf(), s.style.comments()));
  }

  /** Ends lines with CRLF, which the real API does not do. */
  public Answer crlf() {
    return change(s -> s.style = new EventStyle(s.style.timestamps(), true, s.style.comments()));
  }

  /** Puts a comment line before each event, which the real API does not do. */
  public Answer withComments() {
    return change(s -> s.style = new EventStyle(s.style.timestamps(), s.style.crlf(), true));
  }

  // ---- For the simulator ----------------------------------------------------------------------

  AnswerSpec spec() {
    return spec;
  }

  /** The same for a request that wants nothing written; the usage is that of the script, if any. */
  Answer withoutContent(Usage usual) {
    return change(
        s -> {
          s.parts = List.of();
          s.unknownThings = false;
          s.stopReason = "max_tokens";
          s.usage = s.usage == null ? usual : s.usage.withOutput(0).withThinking(0);
        });
  }

  /** The events of the content, with ids made from this random if it needs any. */
  BlockEvents blocks(SplittableRandom ids) {
    BlockEvents rendered = blocks;
    if (rendered == null) {
      rendered = BlockEvents.render(spec, ids);
      if (!rendered.hasIds()) {
        blocks = rendered;
      }
    }
    return rendered;
  }

  private Answer endAfterEvents(int events, AnswerSpec.Ending how) {
    return change(
        s -> {
          s.endAfterEvents = notNegative("events", events);
          s.endAs = how;
        });
  }

  private Answer endAtByte(long bytes, AnswerSpec.Ending how) {
    if (bytes < 0) {
      throw new IllegalArgumentException("bytes: " + bytes + " (expected: 0 or above)");
    }
    return change(
        s -> {
          s.byteLimit = bytes;
          s.atByteLimit = how;
        });
  }

  private Answer part(AnswerPart part) {
    return change(s -> s.addPart(part));
  }

  private Answer change(Consumer<AnswerSpec> change) {
    AnswerSpec copy = spec.copy();
    change.accept(copy);
    return new Answer(copy);
  }

  private static List<String> list(String first, String[] more) {
    String[] all = new String[more.length + 1];
    all[0] = first;
    System.arraycopy(more, 0, all, 1, more.length);
    return List.of(all);
  }

  private static long nanos(Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("duration: " + duration + " (expected: 0 or above)");
    }
    return duration.toNanos();
  }

  private static int positive(String name, int value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + ": " + value + " (expected: above 0)");
    }
    return value;
  }

  private static int notNegative(String name, int value) {
    if (value < 0) {
      throw new IllegalArgumentException(name + ": " + value + " (expected: 0 or above)");
    }
    return value;
  }
}
