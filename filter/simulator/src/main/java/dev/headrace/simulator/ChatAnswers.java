package dev.headrace.simulator;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Answers as Claude might in a chat, and carries out the commands of {@link ChatFaults}. The same
 * seed and question give the same answer. Thread-safe.
 */
public final class ChatAnswers implements Function<SeenRequest, Answer> {
  private static final Pattern SPEED =
      Pattern.compile("/speed\\s+(\\d{1,6}(?:\\.\\d+)?)\\s*(.*)", Pattern.DOTALL);
  private static final int REMEMBERED_BODIES = 1000;

  private final long seed;
  private final Map<Integer, Integer> attempts =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Integer> eldest) {
          return size() > REMEMBERED_BODIES;
        }
      };

  /** Answers that depend on this seed. */
  public ChatAnswers(long seed) {
    this.seed = seed;
  }

  @Override
  public Answer apply(SeenRequest request) {
    return answer(ChatTurn.of(request, attempt(request)));
  }

  private Answer answer(ChatTurn turn) {
    if (turn.toolResult().isPresent()) {
      return turn.spoken(
          "The tool said: **" + turn.toolResult().get().strip() + "**. Is there anything else?");
    }
    if (turn.question().startsWith("/help")) {
      return turn.spoken(ChatFaults.help());
    }
    Matcher speed = SPEED.matcher(turn.question());
    if (speed.matches()) {
      ChatTurn rest = new ChatTurn(speed.group(2), turn.toolResult(), turn.tool(), turn.attempt());
      return answer(rest).pace(new TokenPace(Double.parseDouble(speed.group(1)), 0.3));
    }
    return ChatFaults.answer(turn)
        .orElseGet(() -> turn.spoken(ChatTexts.about(turn.question(), seed)));
  }

  // How often the same body came: a retry by whoever calls sends it again unchanged.
  private synchronized int attempt(SeenRequest request) {
    return attempts.merge(java.util.Arrays.hashCode(request.bodyBytes()), 1, Integer::sum);
  }
}
