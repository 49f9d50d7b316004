package dev.headrace.relay;

import dev.headrace.config.GatewaySettings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Decides which clock of an exchange has run out. Knows no threads and no time of its own:
 * everything is told, so that each rule can be tested alone. Immutable and thread-safe.
 *
 * @param settings the limits
 */
record Clocks(GatewaySettings settings) {

  /** How far an exchange has come, as far as clocks care. */
  enum Phase {
    /** The request's body is on its way. */
    RECEIVING,
    /** The upstream was asked and has not begun to answer. */
    WAITING,
    /** The first bytes of the answer have come and are held back. */
    HOLDING,
    /** The answer is being passed on. */
    STREAMING,
    /** Everything was handed over; the client takes the rest. */
    FINISHING
  }

  /** The names of the clocks, as in {@code timeouts}. */
  enum Clock {
    BODY("body"),
    FIRST_EVENT("first-event"),
    IDLE("idle"),
    SLOW_CLIENT("slow-client"),
    TOTAL("total");

    private final String settingName;

    Clock(String settingName) {
      this.settingName = settingName;
    }

    /** The name in settings, messages and outcomes. */
    String settingName() {
      return settingName;
    }
  }

  /**
   * What a decision rests on. All instants are of one nanosecond clock.
   *
   * @param startNanos when the request came
   * @param attemptNanos when the current attempt began
   * @param upstreamNanos when the upstream last sent something
   * @param stuckNanos how long data has waited for the client without any being taken; 0 when none
   *     waits
   */
  record Reading(
      Phase phase, long startNanos, long attemptNanos, long upstreamNanos, long stuckNanos) {}

  /**
   * Returns the clock that has run out, or null. While the client is slow the upstream's silence
   * does not count: we are the ones who do not read.
   */
  @Nullable Clock expired(Reading reading, long nowNanos) {
    GatewaySettings.Timeouts timeouts = settings.timeouts();
    if (isOver(timeouts.total(), nowNanos - reading.startNanos)) {
      return Clock.TOTAL;
    }
    if (isOver(timeouts.slowClient(), reading.stuckNanos)) {
      return Clock.SLOW_CLIENT;
    }
    return switch (reading.phase) {
      case RECEIVING ->
          isOver(settings.request().bodyTimeout(), nowNanos - reading.startNanos)
              ? Clock.BODY
              : null;
      case WAITING ->
          isOver(timeouts.firstEvent(), nowNanos - reading.attemptNanos) ? Clock.FIRST_EVENT : null;
      case HOLDING -> isOver(timeouts.idle(), nowNanos - reading.upstreamNanos) ? Clock.IDLE : null;
      case STREAMING ->
          reading.stuckNanos == 0 && isOver(timeouts.idle(), nowNanos - reading.upstreamNanos)
              ? Clock.IDLE
              : null;
      case FINISHING -> null;
    };
  }

  /** The limit that a clock has. */
  Duration limit(Clock clock) {
    GatewaySettings.Timeouts timeouts = settings.timeouts();
    return switch (clock) {
      case BODY -> settings.request().bodyTimeout();
      case FIRST_EVENT -> timeouts.firstEvent();
      case IDLE -> timeouts.idle();
      case SLOW_CLIENT -> timeouts.slowClient();
      case TOTAL -> timeouts.total();
    };
  }

  /** Whether a comment is due on a stream to which nothing was written since. */
  boolean heartbeatIsDue(long lastWriteNanos, long nowNanos) {
    return isOver(settings.timeouts().heartbeat(), nowNanos - lastWriteNanos);
  }

  /** What the client is told. */
  String message(Clock clock) {
    String limit = seconds(limit(clock));
    return clock == Clock.BODY
        ? "The request body did not arrive within " + limit + " (request.body-timeout)."
        : "The gateway ended this request: timeouts."
            + clock.settingName()
            + " of "
            + limit
            + " is over.";
  }

  private static boolean isOver(Duration limit, long nanos) {
    return !limit.isZero() && nanos > limit.toNanos();
  }

  private static String seconds(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + "s"
        : duration.toMillis() + "ms";
  }
}
