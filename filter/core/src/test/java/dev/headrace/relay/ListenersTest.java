package dev.headrace.relay;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings;
import dev.headrace.observe.Outcome;
import dev.headrace.spi.PartialMessage;
import dev.headrace.spi.StreamListener;
import dev.headrace.spi.StreamStart;
import dev.headrace.spi.Tokens;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ListenersTest {

  private static final ByteSize ROOM = ByteSize.ofMebibytes(1);
  private static final GatewaySettings.Listeners SETTINGS =
      new GatewaySettings.Listeners(1, ByteSize.ofKibibytes(16), ROOM);

  private static final StreamStart START =
      new StreamStart("exchange-1", Instant.EPOCH, null, null, null);

  private final List<String> heard = new CopyOnWriteArrayList<>();

  private final StreamListener recorder =
      new StreamListener() {
        @Override
        public void onStart(StreamStart start) {
          heard.add("start");
        }

        @Override
        public void onAborted(StreamStart start, PartialMessage partial) {
          heard.add("aborted");
        }
      };

  /** As in an application that is compiled against other jars than it runs with. */
  private static final class Broken implements StreamListener {
    private final Error error;

    Broken(Error error) {
      this.error = error;
    }

    @Override
    public void onStart(StreamStart start) {
      throw error;
    }
  }

  private static Error error(String name) {
    return switch (name) {
      case "AssertionError" -> new AssertionError("not so");
      case "StackOverflowError" -> new StackOverflowError();
      default -> new NoClassDefFoundError("com/example/Missing");
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"AssertionError", "StackOverflowError", "NoClassDefFoundError"})
  void listenerThatFailsKeepsNobodyFromHearingTheRest(String name) {
    Listeners listeners = new Listeners(List.of(new Broken(error(name)), recorder), SETTINGS);
    Reassembly message = requireNonNull(listeners.follow(START));
    message.end(new Outcome(Outcome.Kind.UPSTREAM_CUT, "test"), Tokens.NONE);
    listeners.close(); // they hear first what waits

    assertThat(heard).containsExactly("start", "aborted");
    assertThat(listeners.reserve((int) ROOM.bytes() - Listeners.TASK_BYTES))
        .as("nothing that waited is still counted")
        .isTrue();
  }

  @Test
  void taskThatFailsKeepsNoOtherOfItsStreamFromRunning() throws InterruptedException {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    Listeners.Lane lane = new Listeners.Lane(threads);
    assertThat(
            lane.add(
                () -> {
                  throw new NoClassDefFoundError("com/example/Missing");
                }))
        .isTrue();
    assertThat(lane.add(() -> heard.add("next"))).isTrue();
    threads.shutdown();
    assertThat(threads.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    assertThat(heard).containsExactly("next");
  }

  /** As where the machine has no more threads to give. */
  @Test
  void whereNoThreadCanBeMadeNothingWaitsForOne() {
    AtomicBoolean none = new AtomicBoolean(true);
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              if (none.getAndSet(false)) {
                throw new OutOfMemoryError("unable to create native thread");
              }
              return new Thread(task);
            });
    try {
      Listeners.Lane lane = new Listeners.Lane(threads);
      assertThat(lane.add(() -> heard.add("never"))).isFalse();
      assertThat(lane.add(() -> heard.add("next"))).isTrue();
      await().untilAsserted(() -> assertThat(heard).containsExactly("next"));
    } finally {
      threads.shutdownNow();
    }
  }
}
