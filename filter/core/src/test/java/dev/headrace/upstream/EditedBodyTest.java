package dev.headrace.upstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.admission.RequestPolicy;
import dev.headrace.admission.RequestPolicy.AboveCap;
import dev.headrace.admission.UpstreamBody;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EditedBodyTest {
  private static final RequestPolicy POLICY =
      RequestPolicy.of("plans.staff")
          .aliases(Map.of("fast", "claude-haiku-5-20260901"))
          .maxTokens(7, AboveCap.LOWER)
          .build();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{ \"a\":\"\u20AC\", \"model\" : %s , \"max_tokens\":%s ,\"b\":1}",
        "{\"max_tokens\" : %2$s,\"a\":\"\u20AC\",\"model\":%1$s}"
      })
  void aFallbackModelTakesThePlaceOfAnAliasBesideLoweredMaxTokens(String template)
      throws Exception {
    byte[] client = template.formatted("\"fast\"", "100000").getBytes(UTF_8);
    UpstreamBody body = POLICY.admit(client, client.length, List.of());
    assertThat(text(body.bytes(), body.length()))
        .isEqualTo(template.formatted("\"claude-haiku-5-20260901\"", "7"));

    UpstreamCall call =
        new UpstreamCall(
            "POST",
            "/v1/messages",
            List.of(),
            body.bytes(),
            body.length(),
            body.head(),
            true,
            true);
    assertThat(call.model()).isEqualTo("claude-haiku-5-20260901");
    for (String fallback : List.of("claude-sonnet-5-5", "m")) {
      UpstreamCall other = call.forModel(fallback);
      assertThat(text(other.body(), other.bodyLength()))
          .isEqualTo(template.formatted('"' + fallback + '"', "7"));
    }
  }

  private static String text(byte @Nullable [] bytes, int length) {
    return new String(requireNonNull(bytes), 0, length, UTF_8);
  }
}
