package dev.headrace.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.admission.LimitKind;
import dev.headrace.admission.Refusal;
import dev.headrace.admission.Refusal.Waiting;
import dev.headrace.admission.Window;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RateLimitHeadersTest {

  private static final Duration DAY = Duration.ofDays(1);

  private static String message(Refusal refusal, @Nullable String unpriced) {
    return RateLimitHeaders.error(refusal, unpriced).message();
  }

  @Test
  void whatToDoDependsOnWhatIsTooMuch() {
    assertThat(
            message(
                new Refusal(
                    LimitKind.INPUT_TOKENS, Window.DAY, 1000, 1000, 2001, DAY, Waiting.USELESS),
                null))
        .isEqualTo(
            "Your limit of 1000 input tokens (input tokens per day) does not allow this request:"
                + " 1000 input tokens left. Its prompt alone is reckoned at 2001 input tokens, more"
                + " than there ever is; shorten it.");
    assertThat(
            message(
                new Refusal(LimitKind.OUTPUT_TOKENS, Window.DAY, 1000, 10, 1, DAY, Waiting.USELESS),
                null))
        .endsWith(" 10 output tokens left. It asks for more than there ever is; lower max_tokens.");
    assertThat(
            message(
                new Refusal(
                    LimitKind.COST,
                    Window.DAY,
                    500_000_000_000L,
                    0,
                    750_000_000_000L,
                    DAY,
                    Waiting.USELESS),
                null))
        .endsWith(
            " Its prompt alone is reckoned at 0.75 USD, more than there ever is; shorten it.");
  }

  @Test
  void theModelWithoutAPriceIsNamed() {
    Refusal refusal = new Refusal(LimitKind.PRICE, null, 0, 0, 0, null, Waiting.USELESS);
    assertThat(message(refusal, "claude-\u0007new"))
        .startsWith("The price of the model \"claude-?new\" is not known to the gateway");
    assertThat(message(refusal, null)).startsWith("The price of this model is not known");
  }
}
