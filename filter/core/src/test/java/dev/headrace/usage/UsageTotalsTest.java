package dev.headrace.usage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.spi.Accuracy;
import dev.headrace.usage.UsageTotals.TokenClass;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UsageTotalsTest {

  private final UsageTotals totals = new UsageTotals();

  @Test
  void tokensCostAndAccuracyAddUpByModel() {
    totals.add(Records.full("a"));
    totals.add(Records.full("b"));
    totals.add(Records.empty("c"));
    assertThat(totals.models()).containsExactly("claude-served", UsageTotals.NO_MODEL);
    assertThat(totals.tokens("claude-served", TokenClass.INPUT)).isEqualTo(2);
    assertThat(totals.tokens("claude-served", TokenClass.CACHE_WRITE_1H)).isEqualTo(10);
    assertThat(totals.costUsd("claude-served")).isEqualByComparingTo("0.0002469");
    assertThat(totals.records(Accuracy.ESTIMATED)).isEqualTo(2);
    assertThat(totals.records(Accuracy.UNKNOWN)).isEqualTo(1);
    assertThat(totals.recordsWithoutPrice()).isEqualTo(1);
  }

  @Test
  void modelsBeyondTheFirstAreOneAndAreToldOnce() {
    List<String> told = new ArrayList<>();
    totals.onFirst(told::add);
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < UsageTotals.MAX_MODELS + 100; i++) {
        totals.add(Records.of("id", "2026-11-22T00:00:00Z", "u", "model-" + i, "1"));
      }
    }
    assertThat(told).hasSize(UsageTotals.MAX_MODELS + 1).endsWith(UsageTotals.OTHER_MODELS);
    assertThat(totals.models()).isEqualTo(told);
    assertThat(totals.costUsd(UsageTotals.OTHER_MODELS)).isEqualByComparingTo("200");
  }

  @Test
  void whatNoModelIsCalledBecomesNoName() {
    for (String name : List.of("a\nb", "claude\u00df", "x".repeat(65), "a\"b")) {
      totals.add(Records.of("id", "2026-11-22T00:00:00Z", "u", name, "1"));
    }
    totals.add(Records.of("id", "2026-11-22T00:00:00Z", "u", "us.anthropic.claude-x-v1:0", "1"));
    assertThat(totals.models())
        .containsExactly(UsageTotals.OTHER_MODELS, "us.anthropic.claude-x-v1:0");
    assertThat(totals.costUsd(UsageTotals.OTHER_MODELS)).isEqualByComparingTo("4");
  }
}
