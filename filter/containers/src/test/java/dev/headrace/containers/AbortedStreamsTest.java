package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.headrace.GatewayInside;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Streams aborted by the thousand, at random moments and in all ways, leave nothing behind. */
@Tag("alone")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class AbortedStreamsTest extends GatewayContract {

  private static final int CLIENTS_AT_ONCE = 16;

  private static final List<Departure> WAYS = List.of(Departure.values());

  /**
   * The heap may grow by this much between two quiet moments with as many aborted streams in
   * between as the test has. Measured: from 1.1 MiB less to 0.4 MiB more, with both processors at
   * other work too, by upstream connections and by what was counted before. One stream that is not
   * let go of holds its buffers, its request and the container's objects, which is 10 KiB and more:
   * with 1,000 streams one in five would be seen, with 10,000 one in fifty.
   */
  private static final long HEAP_TOLERANCE = 2 << 20;

  private static final String EXCHANGE = "dev.headrace.relay.Exchange";

  /** A thread may still hold the last one that it has served. Measured: none or one. */
  private static final int EXCHANGES_LEFT = 10;

  /** They end when nobody has needed them: those that write over HTTP/2 in Tomcat, and retries'. */
  private static final Set<String> ON_DEMAND = Set.of("headrace-writer", "headrace-attempts");

  AbortedStreamsTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void streamsAbortedAtRandomMomentsLeaveNoMemoryConnectionPermitOrThread() throws Exception {
    GatewayUnderTest headrace = startForAborts();
    int streams = Load.count(1_000, 10_000);
    abort(headrace, streams, 1); // fills caches and pools, loads classes
    assertThatCode(() -> Class.forName(EXCHANGE)).as("its name").doesNotThrowAnyException();
    Footprint before = footprint(headrace);
    LiveObjects objectsBefore = LiveObjects.now();

    abort(headrace, streams, 2);

    Footprint after = footprint(headrace);
    LiveObjects objectsAfter = LiveObjects.now();
    Figures.note(kind(), "before " + streams + " aborted streams", before.toString());
    Figures.note(kind(), "after them", after.toString());
    assertThat(headrace.gateway().permitsInUse()).isZero();
    assertThat(headrace.gateway().upstreamConnectionsInUse()).isZero();
    // Those that were given back and wait for the next request. More than there are clients, since
    // the gateway still awaits the answers of some that have left; but not as many as streams.
    assertThat(headrace.claude().openConnections()).isLessThan(200);
    assertThat(GatewayInside.scheduledTasks(headrace.gateway())).isLessThanOrEqualTo(2);
    assertThat(after.gatewayThreads()).isEqualTo(before.gatewayThreads());
    assertThat(ThreadWatch.countedThreads().getOrDefault("headrace-attempts", 0))
        .isLessThanOrEqualTo(2);
    // The container may have added threads of its pool, which has 40 at most.
    assertThat(after.threads()).isLessThan(100);
    assertThat(objectsAfter.instances(EXCHANGE)).isLessThan(EXCHANGES_LEFT);
    assertThat(after.heap())
        .as(
            () ->
                "the heap; what grew most:%n%s".formatted(objectsAfter.growthSince(objectsBefore)))
        .isLessThan(before.heap() + HEAP_TOLERANCE);
    long ended = headrace.gateway().outcomes().values().stream().mapToLong(Long::longValue).sum();
    assertThat(ended).isLessThanOrEqualTo(2L * streams);
    assertThat(headrace.gateway().outcomes()).containsKey("CLIENT_GONE");
    assertThat(headrace.gateway().outcomes().keySet())
        .isSubsetOf("CLIENT_GONE", "COMPLETED", "UPSTREAM_ERROR(status 529)");
  }

  /** What is there at a quiet moment. */
  private record Footprint(long heap, int threads, Map<String, Integer> gatewayThreads) {

    @Override
    public String toString() {
      return heap / 1024 + " KiB of heap, " + threads + " threads, gateway " + gatewayThreads;
    }
  }

  private GatewayUnderTest startForAborts() throws Exception {
    String[] deltas = new String[2_000];
    Arrays.fill(deltas, "lo");
    Answer endless = Answer.text("Hel", deltas).paced(50);
    ClaudeSimulator.Builder claude =
        ClaudeSimulator.builder()
            .apiKey(KEY)
            .rememberRequests(10)
            .answersBy(
                request ->
                    switch (request.index() % 5) {
                      case 0 -> endless;
                      case 1 -> Answer.text("Hel", "lo").beforeHead(Duration.ofMillis(20));
                      case 2 -> Answer.text("Hel").stallAfterEvents(4);
                      case 3 -> Answer.status(529);
                      default -> Answer.text("short");
                    });
    return keep(
        GatewayUnderTest.startWithSmallPools(
            kind(),
            claude.start(),
            s ->
                s.timeoutsHeartbeat(Duration.ofMillis(100))
                    .retryWaitDuration(Duration.ofMillis(20))
                    .retryMaxWaitDuration(Duration.ofMillis(40))
                    .retryBudgetPerSecond(10_000)
                    .breakerEnabled(false)));
  }

  private static void abort(GatewayUnderTest headrace, int streams, long seed) throws Exception {
    AtomicInteger started = new AtomicInteger();
    ExecutorService threads = Executors.newFixedThreadPool(CLIENTS_AT_ONCE);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < CLIENTS_AT_ONCE; i++) {
        SplittableRandom random = new SplittableRandom(seed * 1_000 + i);
        all.add(
            threads.submit(
                () -> {
                  while (started.getAndIncrement() < streams) {
                    abortOne(headrace, random);
                  }
                  return null;
                }));
      }
      for (Future<?> one : all) {
        one.get(120, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
    headrace.awaitIdle(Duration.ofSeconds(60));
  }

  private static void abortOne(GatewayUnderTest headrace, SplittableRandom random)
      throws Exception {
    Departure how = WAYS.get(random.nextInt(WAYS.size()));
    try (Departure.Client client = how.connect(headrace.port())) {
      client.post(STREAMING);
      // The random moment itself, which no condition can stand for.
      LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(30)));
      client.leaveAtOnce();
    }
  }

  private static Footprint footprint(GatewayUnderTest headrace) {
    headrace.awaitIdle(Duration.ofSeconds(10));
    Map<String, Integer> all = new TreeMap<>(ThreadWatch.countedThreads());
    all.keySet().removeAll(ON_DEMAND);
    Map<String, Integer> gateway = new TreeMap<>(all);
    gateway
        .keySet()
        .removeIf(name -> !name.startsWith("headrace-") && !name.startsWith("httpclient-"));
    return new Footprint(
        heapAfterCollection(), all.values().stream().mapToInt(Integer::intValue).sum(), gateway);
  }

  /** Collects until nothing more is found: finalizers and soft caches need more than one turn. */
  private static long heapAfterCollection() {
    long[] least = {Long.MAX_VALUE};
    Awaitility.await("a heap that gets no smaller")
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(100))
        .until(
            () -> {
              System.gc();
              long used = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
              boolean settled = used > least[0] - 64 * 1024;
              least[0] = Math.min(least[0], used);
              return settled;
            });
    return least[0];
  }
}
