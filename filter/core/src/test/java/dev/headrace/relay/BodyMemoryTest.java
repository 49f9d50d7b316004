package dev.headrace.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class BodyMemoryTest {

  private static final int LARGE = 1024 * 1024;

  private final BodyMemory memory = new BodyMemory(2 * LARGE);

  @Test
  void smallBodiesAreNotCounted() {
    for (int i = 0; i < 1000; i++) {
      assertThat(memory.share(null).growTo(BodyMemory.SMALL_BYTES)).isTrue();
    }
    assertThat(memory.usedBytes()).isZero();
  }

  @Test
  void largeOnesTogetherTakeNoMoreThanThereIs() {
    BodyMemory.Share one = memory.share(null);
    BodyMemory.Share other = memory.share(null);
    BodyMemory.Share third = memory.share(null);
    assertThat(one.growTo(LARGE / 2)).isTrue();
    assertThat(one.growTo(LARGE)).isTrue();
    assertThat(other.growTo(LARGE)).isTrue();
    assertThat(third.growTo(2 * BodyMemory.SMALL_BYTES)).isFalse();
    assertThat(other.growTo(2 * LARGE)).isFalse();
    assertThat(memory.usedBytes()).isEqualTo(2 * LARGE);
    one.release();
    one.release();
    assertThat(memory.usedBytes()).isEqualTo(LARGE);
    assertThat(third.growTo(LARGE)).isTrue();
    assertThat(one.growTo(LARGE)).as("is over").isFalse();
  }

  @Test
  void oneUserLeavesHalfOfItToOthers() {
    assertThat(memory.share("alice").growTo(LARGE / 2)).isTrue();
    BodyMemory.Share second = memory.share("alice");
    assertThat(second.growTo(LARGE / 2)).isTrue();
    assertThat(memory.share("alice").growTo(LARGE / 2)).isFalse();
    assertThat(memory.share("bob").growTo(LARGE)).isTrue();
    second.release();
    assertThat(memory.share("alice").growTo(LARGE / 2)).isTrue();
    assertThat(memory.share("carl").growTo(LARGE)).isFalse();
  }

  /** A single request is no flood, however small the heap. */
  @Test
  void aBodyAloneMayBeLarger() {
    BodyMemory.Share alone = memory.share(null);
    assertThat(alone.growTo(2 * LARGE)).isTrue();
    assertThat(alone.growTo(4 * LARGE)).isTrue();
    alone.release();
    assertThat(memory.usedBytes()).isZero();
  }

  @Test
  void nothingIsLeftOfManyAtOnce() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        all.add(
            threads.submit(
                () -> {
                  for (int j = 0; j < 10_000; j++) {
                    BodyMemory.Share share = memory.share(null);
                    boolean unused = share.growTo(LARGE / 2) && share.growTo(LARGE);
                    share.release();
                  }
                }));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(memory.usedBytes()).isZero();
  }
}
