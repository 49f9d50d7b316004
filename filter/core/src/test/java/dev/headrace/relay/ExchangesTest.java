package dev.headrace.relay;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.admission.StreamLimit;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.upstream.TimeSource;
import dev.headrace.usage.Ledger;
import dev.headrace.usage.PriceTable;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What many exchanges cost that only wait: nothing but their memory. */
class ExchangesTest {

  private static final int MANY = 10_000;

  /** The sweep and the housekeeping; one of them is missing while it runs. */
  private static final int RECURRING_TASKS = 2;

  private static final GatewaySettings SETTINGS =
      GatewaySettings.builder().upstreamApiKey(Secret.of("sk-test")).build();

  private final AtomicLong nanos = new AtomicLong();
  private final Relay relay =
      new Relay(
          SETTINGS,
          TimeSource.system(),
          List.of(),
          null,
          PriceTable.builtIn(),
          Ledger.open(SETTINGS.usage(), Map.of()));
  private final StreamLimit streams = new StreamLimit(MANY);
  private final Exchanges exchanges = new Exchanges(nanos::get, () -> {});

  @AfterEach
  void close() {
    exchanges.close();
    relay.close();
  }

  @Test
  void tenThousandExchangesCostNoTimerAndNoThread() {
    AtomicInteger wakeUps = new AtomicInteger();
    long threads = clockThreads();
    List<Exchange> all = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      all.add(exchange(i, wakeUps));
    }
    all.forEach(exchanges::add);
    exchanges.sweep();

    assertThat(exchanges.count()).isEqualTo(MANY);
    assertThat(exchanges.scheduledTasks()).isLessThanOrEqualTo(RECURRING_TASKS);
    assertThat(clockThreads()).isEqualTo(threads);

    all.forEach(exchanges::remove);
    assertThat(exchanges.count()).isZero();
    assertThat(exchanges.scheduledTasks()).isLessThanOrEqualTo(RECURRING_TASKS);
    assertThat(wakeUps).hasValue(0);
  }

  /** A wait between two attempts has a task of its own, which goes with it and not at its time. */
  @Test
  void aWaitThatIsCalledOffLeavesNoTaskBehind() {
    Exchange exchange = exchange(0, new AtomicInteger());
    List<Future<?>> waits = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      waits.add(exchanges.sweepLater(exchange, TimeUnit.HOURS.toNanos(1)));
    }
    assertThat(exchanges.scheduledTasks()).isGreaterThanOrEqualTo(MANY);

    waits.forEach(wait -> wait.cancel(false));

    assertThat(exchanges.scheduledTasks()).isLessThanOrEqualTo(RECURRING_TASKS);
  }

  /** Whatever has gone wrong where it should have been told: its place is not lost. */
  @Test
  void exchangeWhoseStreamIsOverEndsWhenItsClientIsDropped() {
    Exchange exchange = exchange(0, new AtomicInteger());
    ClientStream silent =
        new ClientStream(exchange, nanos::get, null, true, Containers.Chunks.UNASKED) {
          @Override
          void wake() {}
        };
    exchange.answersTo(silent);
    silent.setOver();
    assertThat(streams.inUse()).isEqualTo(1);

    exchange.abandon();

    assertThat(streams.inUse()).isZero();
  }

  /** For lack of memory, say, while the last bytes are copied: nobody else would end it. */
  @Test
  void exchangeWhoseLastAnswerCannotBeQueuedEnds() {
    Exchange exchange = exchange(0, new AtomicInteger());
    AtomicInteger wakes = new AtomicInteger();
    ClientStream failing =
        new ClientStream(exchange, nanos::get, null, true, Containers.Chunks.UNASKED) {
          @Override
          void wake() {
            if (wakes.getAndIncrement() == 0) {
              throw new OutOfMemoryError("of a test");
            }
            setOver();
            tellFinished();
          }
        };
    exchange.answersTo(failing);

    assertThatThrownBy(exchange::onNoRoomForBody).isInstanceOf(OutOfMemoryError.class);

    assertThat(failing.queue.end()).isEqualTo(ClientQueue.End.ABORTING);
    assertThat(streams.inUse()).isZero();
  }

  private Exchange exchange(int number, AtomicInteger wakeUps) {
    Exchange exchange =
        new Exchange(
            new UsageBook.Asker("exchange-" + number, Instant.EPOCH, null, null, null),
            new Entrant(null, null, PlanRules.open(Map.of()), null, List.of()),
            relay,
            new Route.Upstream(Endpoint.STANDARD.get(0), "/v1/messages", null),
            Wanted.EVENTS,
            List.of(),
            requireNonNull(streams.tryAcquire()));
    exchange.answersTo(
        new ClientStream(exchange, nanos::get, null, true, Containers.Chunks.UNASKED) {
          @Override
          void wake() {
            wakeUps.incrementAndGet();
          }
        });
    return exchange;
  }

  private static long clockThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("headrace-clocks"))
        .count();
  }
}
