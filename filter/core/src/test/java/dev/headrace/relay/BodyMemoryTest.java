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

  private final BodyMemory memory = new BodyMemory(2 * LARGE, 2);

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

  /** However small they are. */
  @Test
  void bodiesOfOneUserThatAreOnTheirWayAreCounted() {
    BodyMemory.Share first = memory.share("alice");
    BodyMemory.Share second = memory.share("alice");
    BodyMemory.Share third = memory.share("alice");
    assertThat(first.begin()).isTrue();
    assertThat(second.begin()).isTrue();
    assertThat(third.begin()).isFalse();
    third.release(); // took nothing, and gives nothing back
    assertThat(memory.coming("alice")).isEqualTo(2);
    assertThat(memory.share("bob").begin()).isTrue();
    for (int i = 0; i < 3; i++) {
      assertThat(memory.share(null).begin()).as("nobody is told from the others").isTrue();
    }
    first.arrived();
    first.arrived();
    first.release();
    assertThat(memory.coming("alice")).isEqualTo(1);
    assertThat(memory.share("alice").begin()).isTrue();
    second.release(); // ended before it was whole
    second.arrived();
    assertThat(memory.coming("alice")).isEqualTo(1);
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
    BodyMemory memory = new BodyMemory(2 * LARGE, 1);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        all.add(
            threads.submit(
                () -> {
                  for (int j = 0; j < 10_000; j++) {
                    BodyMemory.Share share = memory.share("alice");
                    boolean unused =
                        share.begin() && share.growTo(LARGE / 2) && share.growTo(LARGE);
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
    assertThat(memory.coming("alice")).isZero();
  }
}
