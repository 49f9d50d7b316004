package dev.headrace.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WarmUpTest {

  private static WarmUp after(int most, double... jitShares) {
    WarmUp warmUp = new WarmUp(most);
    for (double share : jitShares) {
      assertThat(warmUp.isOver()).isFalse();
      warmUp.round(share);
    }
    return warmUp;
  }

  @Test
  void endsWhenTheCompilerWasIdleInTwoRoundsInARow() {
    assertThat(after(10, 0.3, 0.04).isOver()).isFalse();
    assertThat(after(10, 0.3, 0.04, 0.06, 0.04).isOver()).isFalse();
    WarmUp warm = after(10, 0.3, 0.04, 0.0);
    assertThat(warm.isOver()).isTrue();
    assertThat(warm.isWarm()).isTrue();
    assertThat(warm.rounds()).isEqualTo(3);
  }

  @Test
  void fivePercentAreTooMuch() {
    assertThat(after(10, 0.05, 0.05).isWarm()).isFalse();
  }

  @Test
  void endsAtItsLimitWithoutBeingWarm() {
    WarmUp warmUp = after(3, 0.3, 0.3, 0.01);
    assertThat(warmUp.isOver()).isTrue();
    assertThat(warmUp.isWarm()).isFalse();
  }

  @Test
  void isOverAfterOneRoundWhereThereIsNoCompiler() {
    WarmUp warmUp = after(10, Double.NaN);
    assertThat(warmUp.isOver()).isTrue();
    assertThat(warmUp.isWarm()).isTrue();
  }
}
