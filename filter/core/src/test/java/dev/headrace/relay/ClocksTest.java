package dev.headrace.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.relay.Clocks.Clock;
import dev.headrace.relay.Clocks.Phase;
import dev.headrace.relay.Clocks.Reading;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ClocksTest {

  private static final long SECOND = 1_000_000_000L;

  private final Clocks clocks =
      new Clocks(
          GatewaySettings.builder()
              .upstreamApiKey(Secret.of("sk-test"))
              .requestBodyTimeout(Duration.ofSeconds(10))
              .timeoutsFirstEvent(Duration.ofSeconds(20))
              .timeoutsIdle(Duration.ofSeconds(30))
              .timeoutsIdleContent(Duration.ofSeconds(60))
              .timeoutsSlowClient(Duration.ofSeconds(40))
              .disconnectDrainTime(Duration.ofSeconds(15))
              .timeoutsTotal(Duration.ofSeconds(100))
              .timeoutsHeartbeat(Duration.ofSeconds(5))
              .build());

  /**
   * Seconds since: the request, the attempt or phase, the upstream's last byte, its last content,
   * the client's last byte taken.
   */
  @ParameterizedTest(name = "{0} after {1}/{2}/{3}/{4}/{5} s: {6}")
  @CsvSource(
      nullValues = "none",
      value = {
        "RECEIVING,  10,  10, 10, 10,  0, none",
        "RECEIVING,  11,  11, 11, 11,  0, BODY",
        "BETWEEN,    99,  99, 99, 99,  0, none",
        "BETWEEN,   101,   1,  1,  1,  0, TOTAL",
        "WAITING,    50,  20, 20, 20,  0, none",
        "WAITING,    50,  21,  1,  1,  0, FIRST_EVENT",
        "HOLDING,    50,  40, 30, 30,  0, none",
        "HOLDING,    50,  40, 31, 31,  0, IDLE",
        "STREAMING,  50,  50, 30, 30,  0, none",
        "STREAMING,  50,  50, 31, 31,  0, IDLE",
        "STREAMING,  90,  90,  1, 60,  0, none",
        "STREAMING,  90,  90,  1, 61,  0, IDLE_CONTENT",
        "STREAMING,  90,  90,  1, 61,  1, none",
        "STREAMING,  90,  90, 80, 80, 39, none",
        "STREAMING,  90,  90, 80, 80, 41, SLOW_CLIENT",
        "DRAINING,   90,  15,  1,  1,  0, none",
        "DRAINING,   90,  16,  1,  1,  0, DRAIN_TIME",
        "DRAINING,   90,  10, 31, 31,  0, IDLE",
        "FINISHING,  90,  90, 80, 80, 40, none",
        "FINISHING,  90,  90, 80, 80, 41, SLOW_CLIENT",
        "FINISHING, 101,  40,  0,  0,  0, none",
        "FINISHING, 101,  41,  0,  0,  0, SLOW_CLIENT",
        "STREAMING, 101, 101,  0,  0,  0, TOTAL",
        "WAITING,   101,   1,  1,  1,  0, TOTAL",
      })
  void eachPhaseHasItsClock(
      Phase phase,
      long start,
      long attempt,
      long upstream,
      long content,
      long stuck,
      @Nullable Clock expected) {
    long now = 1_000 * SECOND;
    assertThat(
            clocks.expired(
                new Reading(
                    phase,
                    now - start * SECOND,
                    now - attempt * SECOND,
                    now - upstream * SECOND,
                    now - content * SECOND,
                    stuck * SECOND),
                now))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void zeroMeansNoTotalLimit(Phase phase) {
    Clocks endless = new Clocks(clocks.settings().toBuilder().timeoutsTotal(Duration.ZERO).build());
    long now = 1_000_000 * SECOND;

    assertThat(endless.expired(new Reading(phase, now - 5 * SECOND, now, now, now, 0), now))
        .isNull();
    assertThat(
            endless.expired(
                new Reading(Phase.STREAMING, 0, 0, now, now, 0), now)) // a stream of 11 days
        .isNull();
  }

  @Test
  void nanosecondClockMayWrapAround() {
    long now = Long.MIN_VALUE + SECOND;
    long before = Long.MAX_VALUE - SECOND; // two seconds earlier
    assertThat(clocks.expired(new Reading(Phase.STREAMING, before, before, before, before, 0), now))
        .isNull();
    assertThat(clocks.heartbeatIsDue(before, now)).isFalse();
    assertThat(clocks.heartbeatIsDue(before - 4 * SECOND, now)).isTrue();
  }

  @Test
  void heartbeatOfZeroIsNeverDue() {
    Clocks silent =
        new Clocks(clocks.settings().toBuilder().timeoutsHeartbeat(Duration.ZERO).build());
    assertThat(silent.heartbeatIsDue(0, 1_000 * SECOND)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "BODY, The request body did not arrive within 10s (request.body-timeout).",
    "FIRST_EVENT, The API did not begin to answer in time: timeouts.first-event of 20s is over.",
    "IDLE, The API fell silent in the middle of its answer: timeouts.idle of 30s is over.",
    "IDLE_CONTENT, The API sent only pings in the middle of its answer: timeouts.idle-content of 60s is over.",
    "SLOW_CLIENT, The client took nothing of the answer: timeouts.slow-client of 40s is over.",
    "TOTAL, The gateway ended this request: timeouts.total of 100s is over.",
  })
  void messageNamesTheSetting(Clock clock, String message) {
    assertThat(clocks.message(clock)).isEqualTo(message);
  }
}
