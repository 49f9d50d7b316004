package dev.headrace.relay;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.messages.ApiError;
import dev.headrace.upstream.AttemptFailure;
import dev.headrace.upstream.UpstreamResponseHead;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LastFailureTest {

  private final Clocks clocks =
      new Clocks(GatewaySettings.builder().upstreamApiKey(Secret.of("sk-test")).build());

  private LastFailure of(AttemptFailure failure) {
    return LastFailure.of(failure, clocks, Duration.ofSeconds(5), "0123");
  }

  private LastFailure ofErrorEvent(String type) {
    byte[] json = new ApiError(500, type, "m", null).json();
    ApiError error = requireNonNull(ApiError.fromEventData(json, 0, json.length));
    return of(new AttemptFailure.ErrorEvent(new UpstreamResponseHead(200, List.of()), error, json));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "invalid_request_error",
        "authentication_error",
        "billing_error",
        "permission_error",
        "not_found_error",
        "conflict_error",
        "request_too_large",
        "rate_limit_error",
        "api_error",
        "timeout_error",
        "overloaded_error"
      })
  void theOutcomeOfAnErrorEventNamesItsTypeIfTheApiReferenceDoes(String type) {
    LastFailure failure = ofErrorEvent(type);
    assertThat(failure.outcome()).hasToString("UPSTREAM_ERROR(" + type + ")");
    assertThat(failure.status()).isEqualTo(ApiError.statusOf(type));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "new_error", "API_ERROR", "a\noutcome=COMPLETED", "status 200"})
  void anyOtherTypeIsPassedOnButNotCountedByItsName(String type) {
    LastFailure failure = ofErrorEvent(type);
    assertThat(failure.outcome()).hasToString("UPSTREAM_ERROR(other)");
    assertThat(failure.status()).isEqualTo(500);
    assertThat(failure.body()).isEqualTo(new ApiError(500, type, "m", null).json());
  }
}
