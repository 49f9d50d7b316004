package dev.headrace.containers;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SearchResult;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the tests with the official SDKs let the simulator answer, by name: the tests in Java and
 * those in another process mean the same answer by the same name.
 */
final class SdkAnswers {

  /** Complete messages: an SDK must make the same of them with the gateway and without it. */
  static final Map<String, Answer> MESSAGES = messages();

  /** Errors and everything else that goes wrong, or takes its time. */
  static final Map<String, Answer> OTHERS = others();

  private SdkAnswers() {}

  /** An answer of either kind. */
  static Answer named(String name) {
    Answer answer = MESSAGES.getOrDefault(name, OTHERS.get(name));
    if (answer == null) {
      throw new IllegalArgumentException("No answer is named " + name);
    }
    return answer;
  }

  private static Map<String, Answer> messages() {
    SearchResult gauge =
        new SearchResult("Rhine gauge Cologne", "https://gauge.example/cologne", "Gauge 2.41 m");
    Map<String, Answer> answers = new LinkedHashMap<>();
    answers.put("text", Answer.text("Grüße", " aus Köln! 👋"));
    answers.put(
        "thinking",
        Answer.thinking("84 = 36·2 + 12, ", "36 = 12·3, so 12.").thenText("The gcd is 12."));
    answers.put("omitted-thinking", Answer.omittedThinking().thenText("It is 12."));
    answers.put("redacted-thinking", Answer.redactedThinking("EmwKAhgBEgy3").thenText("It is 12."));
    answers.put(
        "tool-use",
        Answer.text("Let me look.")
            .thenTool("get_weather", "{\"location\": \"Lyon, FR\", \"days\": [1, 2]}")
            .thenTool("get_time", ""));
    answers.put(
        "web-search",
        Answer.webSearch("river level Cologne", gauge)
            .thenCitedText("The gauge stands at 2.41 m", gauge));
    answers.put("refusal", Answer.text("I can").thenRefusal("cyber"));
    answers.put("stop-sequence", Answer.text("one two").stopSequence("three"));
    answers.put("unknown-things", Answer.text("Hello").unknownThings());
    answers.put("single-bytes", Answer.text("Grüße", " 👋").splitEvery(1));
    answers.put("long-event", Answer.text("Here: ").largeEvent(2 << 20));
    // Longer than the heartbeat in these tests, so that there are comments in the stream.
    answers.put("pause", Answer.text("Hel").pause(Duration.ofMillis(700)).thenText("lo"));
    return answers;
  }

  private static Map<String, Answer> others() {
    Map<String, Answer> answers = new LinkedHashMap<>();
    for (int status : new int[] {400, 401, 403, 404, 413, 429, 500, 503, 504, 529}) {
      answers.put("status-" + status, Answer.status(status));
    }
    answers.put("status-429-after-7s", Answer.status(429).retryAfter(Duration.ofSeconds(7)));
    answers.put("status-429-after-1h", Answer.status(429).retryAfter(Duration.ofHours(1)));
    answers.put("spend-limit", Answer.spendLimit());
    answers.put("status-529-no-retry", Answer.status(529).shouldRetry(false));
    // Makes SDKs retry at once: they believe this header before any other.
    answers.put("status-529-after-1ms", Answer.status(529).header("retry-after-ms", "1"));
    answers.put(
        "error-first-after-1ms",
        Answer.errorFirst("overloaded_error").header("retry-after-ms", "1"));
    answers.put("error-first", Answer.errorFirst("overloaded_error"));
    // Events of a one-delta text: message_start, content_block_start, ping, content_block_delta.
    answers.put("error-in-midstream", Answer.text("Hel").errorAfterEvents(4, "overloaded_error"));
    // The fifth event is so large that byte 5000 lies inside it, whatever the padding.
    answers.put("cut-in-mid-event", Answer.text("Hel").largeEvent(20_000).cutAtByte(5000));
    answers.put("reset-in-mid-event", Answer.text("Hel").largeEvent(20_000).resetAtByte(5000));
    answers.put("cut-between-events", Answer.text("Hel", "lo").cutAfterEvents(4));
    answers.put("end-without-message-stop", Answer.text("Hel", "lo").cutCleanAfterEvents(4));
    answers.put("cut-json", Answer.text("Hello").cutAfterEvents(4));
    answers.put("flowing", Answer.text("Hel").thenText("lo ".repeat(3000)).tokenwise().paced(50));
    answers.put("stalled", Answer.text("Hel").stallAfterEvents(4));
    return answers;
  }
}
