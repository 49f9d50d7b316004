package dev.headrace.relay;

import dev.headrace.messages.UsageView;
import dev.headrace.observe.ExchangeLog;
import dev.headrace.observe.Outcome;
import dev.headrace.spi.StreamStart;
import dev.headrace.upstream.Attempts;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What is told of one exchange when it has ended: in the log, on the books and to the limits of its
 * user. Collects it until then. Thread-safe.
 */
final class Account {

  private final UsageBook.Asker asker;
  private final Endpoint endpoint;
  private final UsageBook book;
  private final @Nullable Allowance allowance;
  private final LongSupplier nanoTime;
  private final long startNanos;
  private volatile long firstByteNanos = -1;
  private volatile int status;
  private volatile @Nullable String requestId;
  private volatile @Nullable String modelAsked;

  /**
   * @param allowance what the exchange holds of its user's limits; null without limits
   */
  Account(
      UsageBook.Asker asker,
      Endpoint endpoint,
      UsageBook book,
      @Nullable Allowance allowance,
      LongSupplier nanoTime) {
    this.asker = asker;
    this.endpoint = endpoint;
    this.book = book;
    this.allowance = allowance;
    this.nanoTime = nanoTime;
    this.startNanos = nanoTime.getAsLong();
  }

  UsageBook.Asker asker() {
    return asker;
  }

  /** When the request was received, by the clock of durations. */
  long startNanos() {
    return startNanos;
  }

  /** The model of the request, as it goes upstream. */
  void asks(@Nullable String model) {
    modelAsked = model;
  }

  /** The client gets this status. */
  void answers(int clientStatus) {
    status = clientStatus;
  }

  /** The first bytes of the answer are on their way. */
  void begins() {
    firstByteNanos = nanoTime.getAsLong();
  }

  void requestId(@Nullable String upstreamRequestId) {
    requestId = upstreamRequestId;
  }

  /** The upstream's id of the request; null when none came. */
  @Nullable String requestId() {
    return requestId;
  }

  /** For those who read along. */
  StreamStart streamStart() {
    return new StreamStart(asker.id(), asker.startedAt(), asker.user(), asker.preset(), modelAsked);
  }

  /** Whether the answer is a message, whose usage counts. */
  boolean isMetered() {
    return endpoint.kind() == Endpoint.Kind.MESSAGES;
  }

  /**
   * Books an attempt that was given up.
   *
   * @param usage null when nothing was told of what it has used
   */
  void dropped(int number, @Nullable String attemptRequestId, @Nullable UsageView usage) {
    if (!isMetered()) {
      return;
    }
    UsageBook.Used used =
        book.dropped(
            asker,
            new UsageBook.Ending(
                Outcome.of(Outcome.Kind.UPSTREAM_ERROR),
                modelAsked,
                0,
                number,
                -1,
                millisTo(nanoTime.getAsLong()),
                attemptRequestId),
            usage);
    if (allowance != null) {
      allowance.addDropped(used);
    }
  }

  /**
   * Books the exchange and settles its limits; to be called once.
   *
   * @param attempts that were made; null for none
   * @return what it has used; null where that does not count
   */
  UsageBook.@Nullable Used end(Outcome outcome, @Nullable Attempts attempts) {
    int made = attempts == null ? 0 : attempts.made();
    boolean complete = outcome.kind() == Outcome.Kind.COMPLETED;
    if (!isMetered()) {
      if (allowance != null) {
        allowance.end(made == 0 ? null : UsageBook.NOTHING, complete);
      }
      return null;
    }
    UsageBook.Used used = UsageBook.UNKNOWN;
    Attempts.Remainder left = attempts == null ? null : attempts.takeRemainder();
    try {
      used =
          book.ended(
              asker,
              new UsageBook.Ending(
                  outcome,
                  modelAsked,
                  status,
                  made,
                  firstEventMillis(),
                  millisTo(nanoTime.getAsLong()),
                  requestId),
              left == null ? null : left.usage(),
              left != null && left.nothing());
    } finally { // whatever the application's log or meters do, nobody keeps what was reserved
      if (allowance != null) {
        allowance.end(made == 0 ? null : used, complete);
      }
    }
    return used;
  }

  /** Writes the line of the log. */
  void log(Outcome outcome, @Nullable Attempts attempts, long bytesWritten) {
    ExchangeLog.ended(
        new ExchangeLog.Line(
            asker.id(),
            endpoint.toString(),
            status,
            attempts == null ? 0 : attempts.made(),
            attempts == null ? null : attempts.member(),
            attempts == null ? null : attempts.fallbackModel(),
            requestId,
            firstEventMillis(),
            millisTo(nanoTime.getAsLong()),
            bytesWritten),
        outcome);
  }

  private long firstEventMillis() {
    return firstByteNanos < 0 ? -1 : millisTo(firstByteNanos);
  }

  private long millisTo(long nanos) {
    return Duration.ofNanos(nanos - startNanos).toMillis();
  }
}
