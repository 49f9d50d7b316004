package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings.Hold;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Once a client has a byte there is no second attempt: answers that break at random places, each
 * with a mark of its own, so that it shows which attempts a client has bytes of.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
@Tag("slow")
final class NoSecondAttemptTest extends FailureContract {

  private static final long SEED = 20_261_122;
  private static final String MARK = "claude-sonnet-5-5";

  private enum Fault {
    CUT,
    RESET,
    ERROR_EVENT,
    CLEAN_END
  }

  NoSecondAttemptTest(ContainerKind kind) {
    super(kind);
  }

  @ParameterizedTest
  @EnumSource
  void aClientThatHasAByteOfAnAnswerGetsNothingOfAnotherOne(Hold hold) throws Exception {
    GatewayUnderTest headrace =
        start(
            s ->
                quick(s)
                    .retryHold(hold)
                    .retryWaitDuration(Duration.ofMillis(1))
                    .retryMaxWaitDuration(Duration.ofMillis(2))
                    .breakerEnabled(false));
    SplittableRandom random = new SplittableRandom(SEED);
    AtomicInteger asked = new AtomicInteger();
    headrace
        .claude()
        .answersBy(
            request -> {
              synchronized (random) {
                return faulty(random, asked.getAndIncrement());
              }
            });
    int runs = Load.count(120, 2_000);
    int[] withBytes = new int[4]; // by the number of attempts
    int failed = 0;
    for (int i = 0; i < runs; i++) {
      int before = asked.get();
      Reply reply = post(headrace, STREAMING);
      int attempts = asked.get() - before;
      String what = "run " + i + " of seed " + SEED + ", attempts " + attempts + ": " + reply;
      assertThat(attempts).as(what).isBetween(1, 3);
      if (reply.status() == 200) {
        assertThat(attempts)
            .as("only the last attempt may have sent bytes: %s", what)
            .isEqualTo(attemptThatSent(reply, before) - before + 1);
        assertNeverLooksComplete(reply, asked.get() - 1, what);
        withBytes[attempts]++;
      } else {
        assertThat(attempts).as(what).isEqualTo(3);
        assertThat(reply.status()).as(what).isIn(502, 529);
        assertThat(reply.end()).as(what).isEqualTo(End.COMPLETE);
        assertThat(reply.body()).as(what).startsWith("{\"type\":\"error\"");
        failed++;
      }
    }
    Figures.note(
        kind(),
        runs + " broken answers, hold " + hold + ": with bytes after 1, 2, 3 attempts, without any",
        withBytes[1] + ", " + withBytes[2] + ", " + withBytes[3] + ", " + failed);
    // Otherwise the cut points are badly chosen.
    assertThat(withBytes[1]).isGreaterThan(runs / 4);
    assertThat(withBytes[2]).isPositive();
    assertThat(failed).isPositive();
    // Nothing follows later either.
    int all = asked.get();
    headrace.awaitIdle(Duration.ofSeconds(10));
    assertThat(headrace.claude().attempts()).isEqualTo(all);
  }

  /** Half of them before the first content ends, where it depends on the hold what happens. */
  private static Answer faulty(SplittableRandom random, int number) {
    byte[] stream = marked(number);
    int early = endOfEvent(random.nextBoolean() ? 1 : 4);
    int at = random.nextInt(random.nextBoolean() ? early : stream.length - 5);
    int events = random.nextInt(8);
    // The gaps let the gateway read some of what comes before the end, but not always all of it.
    Answer slow =
        Answer.transcript(stream)
            .trickle(1 + random.nextInt(stream.length), Duration.ofMillis(random.nextInt(4)));
    return switch (Fault.values()[random.nextInt(Fault.values().length)]) {
      case CUT -> slow.cutAtByte(at);
      case RESET -> slow.resetAtByte(at);
      case ERROR_EVENT -> slow.errorAfterEvents(events, "overloaded_error");
      case CLEAN_END -> slow.cutCleanAfterEvents(events);
    };
  }

  /** The same length for each, with a number in place of the model's name. */
  private static byte[] marked(int number) {
    String mark = String.format("%0" + MARK.length() + "d", number);
    return TEXT.replace(MARK, mark).getBytes(UTF_8);
  }

  private static int attemptThatSent(Reply reply, int first) {
    int at = reply.body().indexOf("\"model\":\"") + 9;
    return reply.body().startsWith("event: message_start")
        ? Integer.parseInt(reply.body().substring(at, at + MARK.length()))
        : first; // not so many bytes, if it was an answer at all
  }

  private static void assertNeverLooksComplete(Reply reply, int attempt, String what) {
    byte[] answer = marked(attempt);
    byte[] bytes = reply.bytes();
    assertThat(reply.body()).as(what).doesNotContain(TEXT.substring(endOfEvent(7)));
    int error = reply.latin1().indexOf("event: error\n");
    int passed = error < 0 ? bytes.length : error;
    assertThat(Arrays.copyOf(bytes, passed)).as(what).isEqualTo(Arrays.copyOf(answer, passed));
    if (error >= 0) {
      assertThat(reply.end()).as(what).isEqualTo(End.COMPLETE);
      assertOneErrorEvent(reply.body().substring(reply.body().indexOf("event: error\n")), "", "");
    } else {
      assertThat(reply.end()).as(what).isIn(End.CUT, End.RESET);
    }
  }
}
