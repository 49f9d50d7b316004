package dev.headrace.bench.load;

import static dev.headrace.bench.load.Answers.ascii;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.bench.upstream.Ask;
import dev.headrace.bench.upstream.StreamBytes;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LoadGeneratorTest {

  private static final int DELTAS = 3;
  private static final byte[] WHOLE = Answers.chunked(Answers.events(DELTAS));
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static LoadPlan once(int streams) {
    return new LoadPlan(
        streams,
        new Ask(DELTAS, 0, 0),
        false,
        0,
        1000,
        Duration.ofMillis(10),
        Duration.ofMillis(50));
  }

  private static LoadPlan again(int streams) {
    return new LoadPlan(
        streams,
        new Ask(DELTAS, 0, 0),
        true,
        0,
        1000,
        Duration.ofMillis(20),
        Duration.ofMillis(200));
  }

  private static LoadResult run(ScriptedServer server, LoadPlan plan) throws IOException {
    return new LoadGenerator(server.port(), "/v1/messages", "", plan, PATIENCE)
        .run(LoadGenerator.Window.UNSEEN);
  }

  /** Runs one stream against a server that answers with these bytes and then closes or not. */
  private static LoadResult runOne(byte[] answer, boolean staysOpen) throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(
            (number, client) -> {
              client.write(answer);
              return staysOpen;
            })) {
      return run(server, once(1));
    }
  }

  @Test
  void wholeStreamsAreComplete() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(
            (number, client) -> {
              client.write(WHOLE);
              return true;
            })) {
      LoadResult result = run(server, once(5));
      assertThat(result.complete()).isEqualTo(5);
      assertThat(result.lost()).isEmpty();
      assertThat(result.firstEvent().getTotalCount()).isEqualTo(5);
      assertThat(server.requests()).isEqualTo(5);
      assertThat(server.connections()).isEqualTo(5);
    }
  }

  @Test
  void connectionsAreUsedAgainForTheNextStream() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(
            (number, client) -> {
              client.write(WHOLE);
              return true;
            })) {
      LoadResult result = run(server, again(4));
      assertThat(result.lost()).isEmpty();
      assertThat(result.complete()).isEqualTo(server.requests());
      assertThat(server.requests()).isGreaterThan(8);
      assertThat(server.connections()).isEqualTo(4);
      assertThat(result.answers()).isPositive().isLessThan(result.complete());
      assertThat(result.events()).isPositive();
      assertThat(result.delay().getTotalCount()).isPositive();
      assertThat(result.nanos()).isGreaterThanOrEqualTo(Duration.ofMillis(200).toNanos());
    }
  }

  @Test
  void connectionThatTheServerClosesIsOpenedAgain() throws IOException {
    byte[] body = StreamBytes.answer(DELTAS, 0);
    try (ScriptedServer server =
        new ScriptedServer(
            (number, client) -> {
              client.write(
                  ascii(
                      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
                          + body.length
                          + "\r\n\r\n"));
              client.write(body);
              return false;
            })) {
      LoadResult result = run(server, again(2));
      assertThat(result.lost()).isEmpty();
      assertThat(server.connections()).isEqualTo(server.requests()).isGreaterThan(4);
    }
  }

  @Test
  void streamWhoseConnectionEndsEarlyIsLost() throws IOException {
    for (int length : new int[] {0, 10, 200, WHOLE.length - 1}) {
      LoadResult result = runOne(Arrays.copyOf(WHOLE, length), false);
      assertThat(result.complete()).isZero();
      assertThat(result.lostStreams()).isOne();
    }
  }

  @Test
  void streamThatIsMissingItsEndByItsFramingIsLostThoughEveryEventCame() throws IOException {
    assertThat(runOne(Arrays.copyOf(WHOLE, WHOLE.length - 5), false).lost())
        .isEqualTo(Map.of("connection ended early", 1));
  }

  @Test
  void streamWithOneEventLessIsLost() throws IOException {
    List<byte[]> events = new ArrayList<>(Answers.events(DELTAS));
    events.remove(events.size() - 1);
    assertThat(runOne(Answers.chunked(events), true).lost()).isEqualTo(Map.of("7 of 8 events", 1));
  }

  @Test
  void streamWithADeltaLessIsLost() throws IOException {
    List<byte[]> events = new ArrayList<>(Answers.events(DELTAS));
    events.remove(3);
    assertThat(runOne(Answers.chunked(events), true).lost())
        .isEqualTo(Map.of("an event was lost", 1));
  }

  @Test
  void streamWithBytesThatDoNotBelongThereIsLost() throws IOException {
    assertThat(runOne(Answers.concat(WHOLE, ascii("HTTP/1.1 200 OK\r\n\r\n")), true).lost())
        .isEqualTo(Map.of("bytes behind the end", 1));
  }

  @Test
  void streamWithABrokenChunkIsLost() throws IOException {
    byte[] broken =
        Answers.concat(
            ascii("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), ascii("3\r\nabcdef"));
    LoadResult result = runOne(broken, true);
    assertThat(result.complete()).isZero();
    assertThat(result.lost().keySet()).singleElement().asString().contains("longer than its size");
  }

  @Test
  void refusalIsLostWithItsStatus() throws IOException {
    assertThat(runOne(ascii("HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n"), true).lost())
        .isEqualTo(Map.of("status 503", 1));
  }

  @Test
  void oneLostStreamAmongManyIsCountedOnce() throws IOException {
    try (ScriptedServer server =
        new ScriptedServer(
            (number, client) -> {
              client.write(
                  number == 3 ? ascii("HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n") : WHOLE);
              return true;
            })) {
      LoadResult result = run(server, again(4));
      assertThat(result.lost()).isEqualTo(Map.of("status 500", 1));
      assertThat(result.complete()).isEqualTo(server.requests() - 1);
    }
  }

  @Test
  void streamThatNeverEndsIsLostWhenPatienceEnds() throws IOException {
    CountDownLatch never = new CountDownLatch(1);
    try (ScriptedServer server =
        new ScriptedServer(
            (number, client) -> {
              client.write(WHOLE, 0, WHOLE.length - 20);
              await(never);
              return false;
            })) {
      LoadResult result =
          new LoadGenerator(server.port(), "/", "", once(2), Duration.ofMillis(300))
              .run(LoadGenerator.Window.UNSEEN);
      assertThat(result.complete()).isZero();
      assertThat(result.lostStreams()).isEqualTo(2);
    } finally {
      never.countDown();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void clientsThatNeverReadAreNotCounted() throws IOException {
    LoadPlan plan =
        new LoadPlan(
            2, new Ask(DELTAS, 0, 0), false, 3, 1000, Duration.ofMillis(50), Duration.ofMillis(50));
    try (ScriptedServer server =
        new ScriptedServer(
            (number, client) -> {
              client.write(WHOLE);
              return true;
            })) {
      LoadResult result = run(server, plan);
      assertThat(result.complete()).isEqualTo(2);
      assertThat(result.lost()).isEmpty();
      assertThat(server.connections()).isEqualTo(5);
    }
  }

  @Test
  void streamThatFindsNoServerIsLost() throws IOException {
    try (Socket silent = new Socket()) {
      // Bound, but not listening: a port that is only free may be another's a moment later.
      silent.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      LoadResult result =
          new LoadGenerator(silent.getLocalPort(), "/v1/messages", "", once(1), PATIENCE)
              .run(LoadGenerator.Window.UNSEEN);
      assertThat(result.complete()).isZero();
      assertThat(result.lostStreams()).isOne();
    }
  }

  @Test
  void loadThatNeverBeginsIsAnError() throws IOException {
    CountDownLatch never = new CountDownLatch(1);
    try (ScriptedServer server =
        new ScriptedServer(
            (number, client) -> {
              await(never);
              return false;
            })) {
      LoadGenerator generator =
          new LoadGenerator(server.port(), "/", "", once(1), Duration.ofMillis(300));
      assertThatThrownBy(() -> generator.run(LoadGenerator.Window.UNSEEN))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("never began");
    } finally {
      never.countDown();
    }
  }
}
