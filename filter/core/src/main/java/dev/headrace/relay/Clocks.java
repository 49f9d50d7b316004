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
    /** An attempt has failed, the next one waits for its turn. */
    BETWEEN,
    /** The upstream was asked and has not begun to answer. */
    WAITING,
    /** The first bytes of an answer that is held whole have come. */
    HOLDING,
    /** The answer is being passed on. */
    STREAMING,
    /** The client has left, and the answer is read on for its usage. */
    DRAINING,
    /** Everything was handed over; the client takes the rest. */
    FINISHING
  }

  /** The names of the clocks, as in the settings. */
  enum Clock {
    BODY("body"),
    FIRST_EVENT("first-event"),
    IDLE("idle"),
    IDLE_CONTENT("idle-content"),
    SLOW_CLIENT("slow-client"),
    TOTAL("total"),
    DRAIN_TIME("drain-time");

    private final String settingName;

    Clock(String settingName) {
      this.settingName = settingName;
    }

    /** The name in settings, messages and outcomes. */
    String settingName() {
      return settingName;
    }

    /** The clock of this name. */
    static Clock named(String settingName) {
      for (Clock clock : values()) {
        if (clock.settingName.equals(settingName)) {
          return clock;
        }
      }
      throw new IllegalArgumentException(settingName);
    }
  }

  /**
   * What a decision rests on. All instants are of one nanosecond clock.
   *
   * @param startNanos when the request came
   * @param phaseNanos when the current attempt, the draining or the finishing began
   * @param upstreamNanos when the upstream last sent something
   * @param contentNanos when it last sent something else than {@code ping}
   * @param stuckNanos how long data has waited for the client without any being taken; 0 when none
   *     waits
   */
  record Reading(
      Phase phase,
      long startNanos,
      long phaseNanos,
      long upstreamNanos,
      long contentNanos,
      long stuckNanos) {}

  /**
   * Returns the clock that has run out, or null. While the client is slow the upstream's silence
   * does not count: we are the ones who do not read.
   */
  @Nullable Clock expired(Reading reading, long nowNanos) {
    GatewaySettings.Timeouts timeouts = settings.timeouts();
    boolean totalIsOver = isOver(timeouts.total(), nowNanos - reading.startNanos);
    if (reading.phase == Phase.FINISHING) {
      // Its last bytes are all that is left; total must not take the time for them.
      boolean endless = totalIsOver && isOver(timeouts.slowClient(), nowNanos - reading.phaseNanos);
      return endless || isOver(timeouts.slowClient(), reading.stuckNanos)
          ? Clock.SLOW_CLIENT
          : null;
    }
    if (totalIsOver) {
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
          isOver(timeouts.firstEvent(), nowNanos - reading.phaseNanos) ? Clock.FIRST_EVENT : null;
      case HOLDING -> isOver(timeouts.idle(), nowNanos - reading.upstreamNanos) ? Clock.IDLE : null;
      case STREAMING -> reading.stuckNanos == 0 ? silence(reading, nowNanos) : null;
      case DRAINING ->
          isOver(settings.disconnect().drainTime(), nowNanos - reading.phaseNanos)
              ? Clock.DRAIN_TIME
              : silence(reading, nowNanos);
      case BETWEEN, FINISHING -> null;
    };
  }

  private @Nullable Clock silence(Reading reading, long nowNanos) {
    GatewaySettings.Timeouts timeouts = settings.timeouts();
    if (isOver(timeouts.idle(), nowNanos - reading.upstreamNanos)) {
      return Clock.IDLE;
    }
    return isOver(timeouts.idleContent(), nowNanos - reading.contentNanos)
        ? Clock.IDLE_CONTENT
        : null;
  }

  /** The limit that a clock has. */
  Duration limit(Clock clock) {
    GatewaySettings.Timeouts timeouts = settings.timeouts();
    return switch (clock) {
      case BODY -> settings.request().bodyTimeout();
      case FIRST_EVENT -> timeouts.firstEvent();
      case IDLE -> timeouts.idle();
      case IDLE_CONTENT -> timeouts.idleContent();
      case SLOW_CLIENT -> timeouts.slowClient();
      case TOTAL -> timeouts.total();
      case DRAIN_TIME -> settings.disconnect().drainTime();
    };
  }

  /** Whether a comment is due on a stream to which nothing was written since. */
  boolean heartbeatIsDue(long lastWriteNanos, long nowNanos) {
    return isOver(settings.timeouts().heartbeat(), nowNanos - lastWriteNanos);
  }

  /** Whether an event stream that was asked for is to be begun although nothing has come. */
  boolean earlyCommitIsDue(long startNanos, long nowNanos) {
    return isOver(settings.timeouts().earlyCommit(), nowNanos - startNanos);
  }

  /** What the client is told. */
  String message(Clock clock) {
    Duration limit = limit(clock);
    return switch (clock) {
      case BODY ->
          "The request body did not arrive within " + seconds(limit) + " (request.body-timeout).";
      case FIRST_EVENT ->
          "The API did not begin to answer in time: " + over("timeouts.first-event", limit);
      case IDLE ->
          "The API fell silent in the middle of its answer: " + over("timeouts.idle", limit);
      case IDLE_CONTENT ->
          "The API sent only pings in the middle of its answer: "
              + over("timeouts.idle-content", limit);
      case SLOW_CLIENT ->
          "The client took nothing of the answer: " + over("timeouts.slow-client", limit);
      case TOTAL -> "The gateway ended this request: " + over("timeouts.total", limit);
      case DRAIN_TIME -> "Reading on was ended: " + over("disconnect.drain-time", limit);
    };
  }

  /** The end of a message: which setting, and how long it is. */
  static String over(String setting, Duration limit) {
    return setting + " of " + seconds(limit) + " is over.";
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
