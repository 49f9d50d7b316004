package dev.headrace.containers;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Tokens;
import dev.headrace.spi.UsageRecord;
import dev.headrace.usage.Ledger;
import dev.headrace.usage.SinkFigures;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * A process with a ledger: puts numbered records on the books, about a thousand a second, and
 * prints each id with the time at which it was taken. Ends when its input does.
 */
final class LedgerMain {

  private LedgerMain() {}

  /**
   * Runs until its input ends it.
   *
   * @param args URL, user and password of the database, the spool folder, the first part of all
   *     ids, and how many records
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    GatewaySettings.Usage settings =
        GatewaySettings.builder()
            .enabled(false)
            .usageLog(false)
            .usageJdbcUrl(args[0])
            .usageJdbcUser(args[1])
            .usageJdbcPassword(Secret.of(args[2]))
            .usageSpool(Path.of(args[3]))
            .build()
            .usage();
    int count = Integer.parseInt(args[5]);
    PrintStream out = System.out;
    try (Ledger ledger = Ledger.open(settings, Map.of())) {
      out.println("ready");
      for (int i = 0; i < count && System.in.available() == 0; i++) {
        String id = String.format(Locale.ROOT, "%s-%06d", args[4], i);
        ledger.record(usage(id));
        out.println(id + " " + System.currentTimeMillis());
        LockSupport.parkNanos(900_000);
      }
      out.println("done");
      while (System.in.read() != '\n') {
        // until the test says so
      }
      while (ledger.sinks().get(0).waiting() > 0) {
        Thread.sleep(20);
      }
      SinkFigures figures = ledger.sinks().get(0);
      out.println("kept " + figures.kept() + " dropped " + figures.dropped());
    }
  }

  private static UsageRecord usage(String id) {
    return new UsageRecord(
        id,
        UsageRecord.Kind.EXCHANGE,
        id,
        Instant.now(),
        "user",
        null,
        null,
        "claude-sonnet-5-5",
        "claude-sonnet-5-5",
        new Tokens(10, 20, 0, 0, 0, 0, 0, 0),
        new BigDecimal("0.000330"),
        "2026-11-22",
        Accuracy.EXACT,
        "COMPLETED",
        "",
        "end_turn",
        200,
        1,
        100,
        1_000,
        null,
        null,
        null,
        null,
        null);
  }
}
