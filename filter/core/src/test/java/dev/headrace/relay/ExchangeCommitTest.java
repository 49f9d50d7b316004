package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.admission.StreamLimit;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.upstream.Attempt;
import dev.headrace.upstream.AttemptListener;
import dev.headrace.upstream.HeaderField;
import dev.headrace.upstream.TimeSource;
import dev.headrace.upstream.UpstreamClient;
import dev.headrace.upstream.UpstreamFailure;
import dev.headrace.upstream.UpstreamPool;
import dev.headrace.upstream.UpstreamRequest;
import dev.headrace.upstream.UpstreamResponseHead;
import dev.headrace.usage.Ledger;
import dev.headrace.usage.PriceTable;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An answer begins, or goes on, on one thread while another ends it. */
class ExchangeCommitTest {

  private static final int RACES = 3_000;

  private static final GatewaySettings SETTINGS =
      GatewaySettings.builder().upstreamApiKey(Secret.of("sk-test")).build();

  private static final byte[] START =
      "event: message_start\ndata: {\"type\":\"message_start\"}\n\n".getBytes(US_ASCII);

  private final Upstream upstream = new Upstream();
  private Relay relay = relay(SETTINGS);
  private final StreamLimit streams = new StreamLimit(1);

  private Relay relay(GatewaySettings settings) {
    return new Relay(
        settings,
        TimeSource.system(),
        List.of(),
        null,
        PriceTable.builtIn(),
        Ledger.open(settings.usage(), Map.of()),
        () -> new UpstreamPool(settings, upstream, TimeSource.system()));
  }

  /** Starts nothing, but has a connection at hand. */
  private static final class Upstream implements UpstreamClient {
    @Nullable AttemptListener listener;

    @Override
    public Attempt start(UpstreamRequest request, AttemptListener asked) {
      listener = asked;
      return new Attempt() {
        @Override
        public void grant(int bytes) {}

        @Override
        public void cancel() {}
      };
    }

    @Override
    public boolean hasIdleConnection(URI origin) {
      return true;
    }

    @Override
    public int connectionsInUse() {
      return 0;
    }

    @Override
    public void closeExpired() {}

    @Override
    public void close() {}
  }

  /** Keeps what is queued. */
  private static final class Client extends ClientStream {

    private boolean leavesWhenLookedAt;

    Client(Exchange exchange) {
      super(exchange, System::nanoTime, null, true, Containers.Chunks.UNASKED);
    }

    @Override
    void wake() {}

    @Override
    boolean isUnwritable(long nowNanos) {
      if (leavesWhenLookedAt) {
        clientHasLeft("just now");
      }
      return false;
    }

    boolean endsWithoutHead() {
      return queue.end() == ClientQueue.End.FINISHING && !hasHead();
    }
  }

  @AfterEach
  void close() {
    relay.close();
  }

  @Test
  @Timeout(60)
  void answerThatAClosingGatewayEndsAsItBeginsIsNoErrorEventWithoutAHead() throws Exception {
    List<HeaderField> many = new ArrayList<>();
    many.add(new HeaderField("content-type", "text/event-stream"));
    for (int i = 0; i < 50; i++) { // so that the head takes a moment
      many.add(new HeaderField("anthropic-ratelimit-" + i, "1"));
    }
    // Both threads run until each race is over: one that has to be woken would come too late.
    AtomicReference<@Nullable Exchange> begun = new AtomicReference<>();
    AtomicLong usualNanos = new AtomicLong(100_000); // of a beginning
    Thread closing =
        new Thread(
            () -> {
              for (int i = 0; i < RACES; i++) {
                Exchange exchange;
                while ((exchange = begun.get()) == null) {
                  Thread.onSpinWait();
                }
                spin(ThreadLocalRandom.current().nextLong(usualNanos.get()));
                exchange.shutDown();
                begun.set(null);
              }
            },
            "closing");
    closing.start();
    int withoutHead = 0;
    for (int i = 0; i < RACES; i++) {
      Exchange exchange = exchange(i);
      Client client = new Client(exchange);
      exchange.answersTo(client);
      exchange.attempt();
      AttemptListener attempt = requireNonNull(upstream.listener);
      attempt.onHead(new UpstreamResponseHead(200, many));
      long start = System.nanoTime();
      begun.set(exchange);
      attempt.onBytes(ByteBuffer.wrap(START));
      long nanos = System.nanoTime() - start;
      usualNanos.updateAndGet(before -> (7 * before + Math.min(nanos, 1_000_000)) / 8 + 1);
      while (begun.get() != null) {
        Thread.onSpinWait();
      }
      withoutHead += client.endsWithoutHead() ? 1 : 0;
      exchange.fail("end of the race");
    }
    closing.join();
    assertThat(withoutHead).isZero();
  }

  /** Between the look at its clock and what follows from that. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aSlowClientThatLeavesAsItIsToBeDroppedLeavesNothingBehind(boolean wholeAnswer) {
    relay.close();
    relay =
        relay(
            GatewaySettings.builder()
                .upstreamApiKey(Secret.of("sk-test"))
                .disconnectPolicy(GatewaySettings.DisconnectPolicy.DRAIN)
                .build());
    Exchange exchange = exchange(1);
    Client client = new Client(exchange);
    exchange.answersTo(client);
    exchange.attempt();
    AttemptListener attempt = requireNonNull(upstream.listener);
    attempt.onHead(
        new UpstreamResponseHead(
            200, List.of(new HeaderField("content-type", "text/event-stream"))));
    attempt.onBytes(ByteBuffer.wrap(START));
    client.leavesWhenLookedAt = true;

    exchange.sweep(
        System.nanoTime() + Duration.ofMinutes(5).toNanos()); // takes nothing for so long

    assertThat(streams.inUse()).as("it is read on").isEqualTo(1);
    if (wholeAnswer) {
      attempt.onEnd();
    } else {
      attempt.onFailure(new UpstreamFailure(UpstreamFailure.Kind.CUT, "reset"));
    }
    assertThat(streams.inUse()).isZero();
    assertThat(relay.permitsInUse()).isZero();
    assertThat(relay.statistics().outcomes()).containsOnlyKeys("CLIENT_GONE");
  }

  private static void spin(long nanos) {
    long start = System.nanoTime();
    while (System.nanoTime() - start < nanos) {
      Thread.onSpinWait();
    }
  }

  private Exchange exchange(int number) {
    return new Exchange(
        new UsageBook.Asker("exchange-" + number, Instant.EPOCH, null, null, null),
        new Entrant(null, null, PlanRules.open(Map.of()), null, List.of()),
        relay,
        new Route.Upstream(Endpoint.STANDARD.get(0), "/v1/messages", null),
        Wanted.EVENTS,
        List.of(),
        requireNonNull(streams.tryAcquire()));
  }
}
