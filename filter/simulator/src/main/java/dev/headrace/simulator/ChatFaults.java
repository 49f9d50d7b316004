package dev.headrace.simulator;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a person can provoke in the chat. The last user message decides: it begins with one of these
 * commands, and an argument may follow.
 *
 * <p>HTTP errors: {@code /fault overloaded}, {@code overloaded-once}, {@code rate-limit [seconds]},
 * {@code spend-limit}, {@code bad-request}, {@code bad-key}, {@code billing}, {@code forbidden},
 * {@code not-found}, {@code conflict}, {@code too-large}, {@code server-error}, {@code html},
 * {@code timeout}. In the stream: {@code /fault error-first}, {@code error-first-once}, {@code
 * error-midway}, {@code clean-end}, {@code cut}, {@code reset}, {@code no-answer}, {@code hang},
 * {@code stall}, {@code stall-pings [seconds]}, {@code slow-start [seconds]}, {@code pause
 * [seconds]}, {@code trickle}, {@code split}, {@code big-event [MiB]}, {@code flood [MiB]}, {@code
 * unknown}, {@code crlf}, {@code comments}. Kinds of answers: {@code /show markdown}, {@code code},
 * {@code table}, {@code emoji}, {@code long [words]}, {@code thinking}, {@code thinking-hidden},
 * {@code thinking-redacted}, {@code tool}, {@code search}, {@code refusal}, {@code refusal-late},
 * {@code max-tokens}. {@code /speed <tokens per second>} followed by a question answers it at that
 * pace. {@code /help} lists all of this in the chat.
 */
public final class ChatFaults {
  private static final Map<String, Entry> ENTRIES = entries();

  /** How a command is carried out. */
  private interface Action {
    Answer answer(ChatTurn turn, double argument);
  }

  private record Entry(ChatFault fault, double defaultArgument, Action action) {}

  private ChatFaults() {}

  /** Every command in a fixed order, for a page that shows them as buttons. */
  public static List<ChatFault> documented() {
    return ENTRIES.values().stream().map(Entry::fault).toList();
  }

  /** The answer to a message that is a command; empty when it is none. */
  static Optional<Answer> answer(ChatTurn turn) {
    List<String> words = words(turn.question());
    if (words.size() < 2) {
      return Optional.empty();
    }
    Entry entry = ENTRIES.get(words.get(0) + " " + words.get(1));
    if (entry == null) {
      return words.get(0).equals("/fault") || words.get(0).equals("/show")
          ? Optional.of(turn.spoken("I do not know that command.\n\n" + help()))
          : Optional.empty();
    }
    double argument = entry.defaultArgument();
    if (words.size() > 2) {
      try {
        argument = Double.parseDouble(words.get(2));
      } catch (NumberFormatException e) {
        // Whatever else follows is conversation.
      }
    }
    return Optional.of(entry.action().answer(turn, Math.max(0, Math.min(argument, 1e6))));
  }

  /** The list as Markdown. */
  static String help() {
    StringBuilder text =
        new StringBuilder("You can provoke what can happen on the wire. Type for example:\n\n");
    for (ChatFault fault : documented()) {
      String argument = fault.argument().isEmpty() ? "" : " " + fault.argument();
      text.append("- `").append(fault.command()).append(argument).append("`: ");
      text.append(fault.description()).append('\n');
    }
    return text.append("- `/speed <tokens per second> <question>`: answers at another pace\n")
        .toString();
  }

  private static List<String> words(String message) {
    List<String> words = new ArrayList<>();
    for (String word : message.strip().split("\\s+", 4)) {
      words.add(word.toLowerCase(Locale.ROOT));
    }
    return words;
  }

  private static Map<String, Entry> entries() {
    Map<String, Entry> all = new LinkedHashMap<>();
    httpErrors(all);
    streamFaults(all);
    answers(all);
    return all;
  }

  private static void httpErrors(Map<String, Entry> all) {
    fault(all, "overloaded", "529 Overloaded, every time", (t, n) -> Answer.status(529));
    add(
        all,
        "/fault overloaded-once",
        "[times]",
        "529 Overloaded for the first attempt (or so many), then an answer: shows a retry",
        1,
        (t, n) ->
            t.isAmongFirst((long) n) ? Answer.status(529) : t.spoken("It worked after a retry."));
    add(
        all,
        "/fault rate-limit",
        "[seconds]",
        "429 with retry-after",
        5,
        (t, n) -> Answer.status(429).retryAfter(Duration.ofSeconds((long) n)));
    fault(
        all,
        "spend-limit",
        "429 of a spend limit, without retry-after",
        (t, n) -> Answer.spendLimit());
    fault(
        all,
        "bad-request",
        "400, as for an invalid body",
        (t, n) ->
            Answer.error(400, "invalid_request_error", "foo: Extra inputs are not permitted"));
    fault(all, "bad-key", "401, as for a revoked API key", (t, n) -> Answer.status(401));
    fault(all, "billing", "402, a billing problem", (t, n) -> Answer.status(402));
    fault(all, "forbidden", "403, the key may not do this", (t, n) -> Answer.status(403));
    fault(
        all,
        "not-found",
        "404, as for an unknown model",
        (t, n) -> Answer.error(404, "not_found_error", "model: claude-nope-9"));
    fault(all, "conflict", "409, which clients retry", (t, n) -> Answer.status(409));
    fault(all, "too-large", "413 from the edge, in its own shape", (t, n) -> Answer.edge413());
    fault(all, "server-error", "500 Internal server error", (t, n) -> Answer.status(500));
    fault(all, "html", "503 with an HTML page from the edge", (t, n) -> Answer.html(503));
    fault(all, "timeout", "504, processing took too long", (t, n) -> Answer.status(504));
  }

  private static void streamFaults(Map<String, Entry> all) {
    fault(
        all,
        "error-first",
        "HTTP 200, but the first event is overloaded_error",
        (t, n) -> Answer.errorFirst("overloaded_error"));
    fault(
        all,
        "error-first-once",
        "the same for the first attempt only, then an answer",
        (t, n) ->
            t.isAmongFirst(1)
                ? Answer.errorFirst("overloaded_error")
                : t.spoken("It worked after a retry."));
    fault(
        all,
        "error-midway",
        "an error event in the middle of the answer",
        (t, n) -> t.spoken(ChatTexts.PROSE).errorAfterEvents(30, "overloaded_error"));
    fault(
        all,
        "clean-end",
        "the stream ends cleanly, but without message_stop",
        (t, n) -> t.spoken(ChatTexts.PROSE).cutCleanAfterEvents(30));
    fault(
        all,
        "cut",
        "the connection closes in the middle of an event",
        (t, n) -> t.spoken(ChatTexts.PROSE).withoutGzip().cutAtByte(3000));
    fault(
        all,
        "reset",
        "the connection is reset (RST) in the middle of an event",
        (t, n) -> t.spoken(ChatTexts.PROSE).withoutGzip().resetAtByte(3000));
    fault(
        all,
        "no-answer",
        "the connection closes without any answer",
        (t, n) -> Answer.empty().closeBeforeHead());
    fault(
        all,
        "hang",
        "silence: no response head ever comes",
        (t, n) -> Answer.empty().stallBeforeHead());
    fault(
        all,
        "stall",
        "some text, then silence without pings",
        (t, n) -> t.spoken(ChatTexts.PROSE).stallAfterEvents(30));
    add(
        all,
        "/fault stall-pings",
        "[seconds]",
        "some text, then nothing but pings (every 5 seconds)",
        5,
        (t, n) ->
            t.spoken(ChatTexts.PROSE).stallAfterEvents(30).withPings(seconds(Math.max(0.1, n))));
    add(
        all,
        "/fault slow-start",
        "[seconds]",
        "a long wait (10 seconds) before the response head",
        10,
        (t, n) -> t.spoken("That took a while.").beforeHead(seconds(n)));
    add(
        all,
        "/fault pause",
        "[seconds]",
        "a long silence (15 seconds) in the middle of the answer",
        15,
        (t, n) ->
            Answer.text("Let me think about that for a moment.")
                .pause(seconds(n))
                .thenText(" Here we are again.")
                .tokenwise());
    fault(
        all,
        "trickle",
        "single bytes, one every millisecond",
        (t, n) ->
            Answer.text("Drop", " by", " drop: Grüße", " 👋")
                .withoutGzip()
                .trickle(1, Duration.ofMillis(1)));
    fault(
        all,
        "split",
        "characters split over TCP segments of three bytes",
        (t, n) ->
            Answer.text("Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich 🥊")
                .tokenwise()
                .withoutGzip()
                .splitEvery(3));
    add(
        all,
        "/fault big-event",
        "[MiB]",
        "a single event of 4 MiB",
        4,
        (t, n) ->
            Answer.text("Here it comes: ")
                .largeEvent((int) (Math.max(1, Math.min(n, 64)) * 1048576)));
    add(
        all,
        "/fault flood",
        "[MiB]",
        "64 MiB of text as fast as it is read",
        64,
        (t, n) ->
            Answer.text("A flood: ")
                .withoutGzip()
                .flood((long) (Math.max(1, n) * 1048576))
                .pace(TokenPace.FULL_SPEED));
    fault(
        all,
        "unknown",
        "event, block and delta types that nobody knows yet",
        (t, n) -> t.spoken("There were unknown things before this text.").unknownThings());
    fault(
        all,
        "crlf",
        "lines end in CRLF, which the real API does not do",
        (t, n) -> t.spoken(ChatTexts.SHORT).crlf());
    fault(
        all,
        "comments",
        "comment lines between events, which the real API does not send",
        (t, n) -> t.spoken(ChatTexts.SHORT).withComments());
  }

  private static void answers(Map<String, Entry> all) {
    show(
        all,
        "markdown",
        "headings, lists, quotes, code and a table",
        t -> t.spoken(ChatTexts.MARKDOWN));
    show(all, "code", "an answer with code", t -> t.spoken(ChatTexts.CODE));
    show(all, "table", "an answer with a table", t -> t.spoken(ChatTexts.TABLE));
    show(all, "emoji", "many scripts and emoji", t -> t.spoken(ChatTexts.SCRIPTS));
    add(
        all,
        "/show long",
        "[words]",
        "a long answer (2,000 words)",
        2000,
        (t, n) -> t.spoken(ChatTexts.ofWords((int) Math.max(1, Math.min(n, 100_000)))));
    show(
        all,
        "thinking",
        "visible thinking before the answer",
        t -> Answer.thinking(ChatTexts.THOUGHTS).thenText(ChatTexts.SHORT).tokenwise());
    show(
        all,
        "thinking-hidden",
        "thinking whose text is omitted: a few seconds of silence first",
        t ->
            Answer.omittedThinking()
                .pauseAfterEvents(3, Duration.ofSeconds(3))
                .thenText(ChatTexts.SHORT)
                .tokenwise());
    show(
        all,
        "thinking-redacted",
        "a redacted thinking block",
        t -> Answer.redactedThinking("EmwKAhgBEgy3").thenText(ChatTexts.SHORT).tokenwise());
    show(all, "tool", "a call of one of the request's tools", ChatTurn::toolCall);
    show(
        all,
        "search",
        "a web search by the server, with a citation",
        t -> {
          SearchResult gauge =
              new SearchResult(
                  "Rhine gauge Cologne", "https://gauge.example/cologne", "Gauge 2.41 m");
          return Answer.webSearch("river level Cologne", gauge)
              .pauseAfterEvents(6, Duration.ofSeconds(2))
              .thenCitedText("The gauge at Cologne stands at 2.41 m", gauge)
              .thenText(", and it is **falling**.")
              .tokenwise();
        });
    show(all, "refusal", "a refusal before any text", t -> Answer.refusal("cyber"));
    show(
        all,
        "refusal-late",
        "a refusal after some text",
        t -> t.spoken("I can begin to answer that, but").thenRefusal("bio"));
    show(
        all,
        "max-tokens",
        "an answer cut short by max_tokens",
        t -> t.spoken("This answer ends in the middle of a").stopReason("max_tokens"));
  }

  private static void fault(Map<String, Entry> all, String word, String what, Action action) {
    add(all, "/fault " + word, "", what, 0, action);
  }

  private static void show(
      Map<String, Entry> all,
      String word,
      String what,
      java.util.function.Function<ChatTurn, Answer> action) {
    add(all, "/show " + word, "", what, 0, (turn, argument) -> action.apply(turn));
  }

  private static void add(
      Map<String, Entry> all,
      String command,
      String argument,
      String what,
      double defaultArgument,
      Action action) {
    all.put(command, new Entry(new ChatFault(command, argument, what), defaultArgument, action));
  }

  private static Duration seconds(double seconds) {
    return Duration.ofNanos((long) (seconds * 1e9));
  }
}
