package dev.headrace.simulator;

import java.util.Iterator;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** One answer made ready for one request. The steps can be walked once. */
final class Plan {
  enum Framing {
    CHUNKED,
    /** A length was given in the head, or there is no body. */
    LENGTH,
    /** The body ends with the connection. */
    UNTIL_CLOSE
  }

  final int status;
  final byte[] head;
  final Framing framing;
  final Iterator<Step> steps;

  /** The length given in the head; 0 when none is. */
  final int bodyBytes;

  final ByteShaper shaper;
  final EventStyle style;
  final TokenPace pace;
  long beforeHeadNanos;
  final boolean stallBeforeHead;
  final AnswerSpec.@Nullable Ending insteadOfHead;
  final boolean gzip;
  final boolean closeAfter;
  final boolean bodyless;
  final @Nullable SplittableRandom padding;
  final SplittableRandom jitter;
  final long pingIntervalNanos;

  Plan(
      int status,
      byte[] head,
      Framing framing,
      Iterator<Step> steps,
      int bodyBytes,
      AnswerSpec spec,
      TokenPace pace,
      long beforeHeadNanos,
      boolean gzip,
      boolean closeAfter,
      boolean bodyless,
      @Nullable SplittableRandom padding,
      SplittableRandom jitter,
      long pingIntervalNanos) {
    this.status = status;
    this.head = head;
    this.framing = framing;
    this.steps = steps;
    this.bodyBytes = bodyBytes;
    this.shaper = new ByteShaper(spec);
    this.style = spec.style;
    this.pace = pace;
    this.beforeHeadNanos = beforeHeadNanos;
    this.stallBeforeHead = spec.stallBeforeHead;
    this.insteadOfHead = spec.insteadOfHead;
    this.gzip = gzip;
    this.closeAfter = closeAfter || spec.silentClose || framing == Framing.UNTIL_CLOSE;
    this.bodyless = bodyless;
    this.padding = padding;
    this.jitter = jitter;
    this.pingIntervalNanos = pingIntervalNanos;
  }

  /** Waits this much longer before the head. */
  Plan after(long moreNanos) {
    beforeHeadNanos += moreNanos;
    return this;
  }
}
