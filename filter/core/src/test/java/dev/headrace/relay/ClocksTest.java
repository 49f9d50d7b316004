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
              .timeoutsSlowClient(Duration.ofSeconds(40))
              .timeoutsTotal(Duration.ofSeconds(100))
              .timeoutsHeartbeat(Duration.ofSeconds(5))
              .build());

  /**
   * Seconds since: the request, the attempt, the upstream's last byte, the client's last byte
   * taken.
   */
  @ParameterizedTest(name = "{0} after {1}/{2}/{3}/{4} s: {5}")
  @CsvSource(
      nullValues = "none",
      value = {
        "RECEIVING,  10,  10, 10,  0, none",
        "RECEIVING,  11,  11, 11,  0, BODY",
        "WAITING,    50,  20, 20,  0, none",
        "WAITING,    50,  21,  1,  0, FIRST_EVENT",
        "HOLDING,    50,  40, 30,  0, none",
        "HOLDING,    50,  40, 31,  0, IDLE",
        "STREAMING,  50,  50, 30,  0, none",
        "STREAMING,  50,  50, 31,  0, IDLE",
        "STREAMING,  90,  90, 80, 39, none",
        "STREAMING,  90,  90, 80, 41, SLOW_CLIENT",
        "FINISHING,  90,  90, 80, 40, none",
        "FINISHING,  90,  90, 80, 41, SLOW_CLIENT",
        "FINISHING, 101, 101,  0,  0, TOTAL",
        "STREAMING, 101, 101,  0,  0, TOTAL",
        "WAITING,   101,   1,  1,  0, TOTAL",
      })
  void eachPhaseHasItsClock(
      Phase phase, long start, long attempt, long upstream, long stuck, @Nullable Clock expected) {
    long now = 1_000 * SECOND;
    assertThat(
            clocks.expired(
                new Reading(
                    phase,
                    now - start * SECOND,
                    now - attempt * SECOND,
                    now - upstream * SECOND,
                    stuck * SECOND),
                now))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void zeroMeansNoTotalLimit(Phase phase) {
    Clocks endless = new Clocks(clocks.settings().toBuilder().timeoutsTotal(Duration.ZERO).build());
    long now = 1_000_000 * SECOND;

    assertThat(endless.expired(new Reading(phase, now - 5 * SECOND, now, now, 0), now)).isNull();
    assertThat(
            endless.expired(new Reading(Phase.STREAMING, 0, 0, now, 0), now)) // a stream of 11 days
        .isNull();
  }

  @Test
  void nanosecondClockMayWrapAround() {
    long now = Long.MIN_VALUE + SECOND;
    long before = Long.MAX_VALUE - SECOND; // two seconds earlier
    assertThat(clocks.expired(new Reading(Phase.STREAMING, before, before, before, 0), now))
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
    "FIRST_EVENT, The gateway ended this request: timeouts.first-event of 20s is over.",
    "IDLE, The gateway ended this request: timeouts.idle of 30s is over.",
    "TOTAL, The gateway ended this request: timeouts.total of 100s is over.",
  })
  void messageNamesTheSetting(Clock clock, String message) {
    assertThat(clocks.message(clock)).isEqualTo(message);
  }
}
