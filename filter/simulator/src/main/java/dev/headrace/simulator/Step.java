package dev.headrace.simulator;

import org.jspecify.annotations.Nullable;

/** One thing that an {@link Exchange} does. */
sealed interface Step {
  record Send(WireEvent event) implements Step {}

  /** Bytes that are no event: the body of a JSON answer, and the usage that it states. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record SendBody(byte[] bytes, @Nullable Usage usage) implements Step {}

  /** The same event again and again until it came to this many bytes. */
  record Flood(WireEvent event, long bytes) implements Step {}

  /** Silence, with pings in it when it is long. */
  record Wait(long nanos) implements Step {}

  /** Silence until the client leaves; pings at an interval unless that is -1. */
  record Stall(long pingNanos) implements Step {}

  record End(AnswerSpec.Ending how) implements Step {}
}
