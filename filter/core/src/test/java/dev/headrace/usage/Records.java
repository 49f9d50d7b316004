package dev.headrace.usage;

import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Tokens;
import dev.headrace.spi.UsageRecord;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Usage records for tests. */
final class Records {

  static final Instant TIME = Instant.parse("2026-11-22T23:59:59.999999Z");

  private Records() {}

  /** A record with something in every field. */
  static UsageRecord full(String id) {
    return new UsageRecord(
        id,
        UsageRecord.Kind.EXCHANGE,
        "exchange-" + id,
        TIME,
        "Jörg \"the\" O'Brien, \u2028日本 \uD83D\uDE00",
        "gold",
        "support",
        "claude-asked",
        "claude-served",
        new Tokens(1, 2, 3, 4, 5, 1, 6, 7),
        new BigDecimal("0.000123450000"),
        "2026-11-22",
        Accuracy.ESTIMATED,
        "TIMED_OUT",
        "idle",
        "end_turn",
        200,
        2,
        345,
        6789,
        "req_1",
        "msg_1",
        "standard",
        "us",
        "fast");
  }

  /** A record in which everything is missing that may be. */
  static UsageRecord empty(String id) {
    return new UsageRecord(
        id,
        UsageRecord.Kind.DROPPED_ATTEMPT,
        "e",
        Instant.parse("2026-11-22T00:00:00Z"),
        null,
        null,
        null,
        null,
        null,
        Tokens.NONE,
        null,
        "",
        Accuracy.UNKNOWN,
        "DROPPED",
        "",
        null,
        0,
        1,
        -1,
        0,
        null,
        null,
        null,
        null,
        null);
  }

  /** A plain record of an exchange. */
  static UsageRecord of(String id, String at, String user, String model, @Nullable String cost) {
    return new UsageRecord(
        id,
        UsageRecord.Kind.EXCHANGE,
        id,
        Instant.parse(at),
        user,
        null,
        null,
        model,
        model,
        new Tokens(10, 20, 0, 0, 0, 0, 0, 0),
        cost == null ? null : new BigDecimal(cost),
        "2026-11-22",
        Accuracy.EXACT,
        "COMPLETED",
        "",
        "end_turn",
        200,
        1,
        100,
        1000,
        null,
        null,
        null,
        null,
        null);
  }

  /** Records with the ids {@code from} to {@code to - 1}, as four digits. */
  static List<UsageRecord> numbered(int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(i -> of(String.format("%04d", i), "2026-11-22T12:00:00Z", "u", "m", "0.5"))
        .toList();
  }

  /** The same of requests that were refused. */
  static List<UsageRecord> refused(int from, int to) {
    return numbered(from, to).stream()
        .map(
            usage ->
                new UsageRecord(
                    usage.id(),
                    usage.kind(),
                    usage.exchangeId(),
                    usage.startedAt(),
                    usage.user(),
                    null,
                    null,
                    usage.modelAsked(),
                    null,
                    Tokens.NONE,
                    BigDecimal.ZERO,
                    "",
                    Accuracy.EXACT,
                    "REFUSED",
                    "requests",
                    null,
                    429,
                    0,
                    -1,
                    1,
                    null,
                    null,
                    null,
                    null,
                    null))
        .toList();
  }

  static List<String> ids(List<UsageRecord> records) {
    return records.stream().map(UsageRecord::id).toList();
  }
}
