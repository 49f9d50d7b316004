package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.messages.ApiError;
import dev.headrace.upstream.AttemptFailure;
import dev.headrace.upstream.HeaderField;
import dev.headrace.upstream.UpstreamResponseHead;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
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

  private LastFailure ofStatus(int status, String body, boolean whole, HeaderField... headers) {
    return of(
        new AttemptFailure.ErrorStatus(
            new UpstreamResponseHead(status, List.of(headers)), body.getBytes(UTF_8), whole));
  }

  private static final HeaderField HTML = new HeaderField("content-type", "text/html");
  private static final HeaderField REQUEST_ID = new HeaderField("request-id", "req_1");

  @Test
  void aWholeErrorBodyIsPassedOnAsItIs() {
    LastFailure failure = ofStatus(502, "<html>\r\n</html>", true, HTML);
    assertThat(failure.status()).isEqualTo(502);
    assertThat(failure.body()).asString(UTF_8).isEqualTo("<html>\r\n</html>");
    assertThat(failure.headers()).contains(HTML, new HeaderField("content-length", "15"));
    assertThat(failure.outcome()).hasToString("UPSTREAM_ERROR(status 502)");
  }

  @Test
  void aStatusThatHttpDoesNotKnowBecomesOneThatItDoes() {
    LastFailure failure = ofStatus(999, "denied", true);
    assertThat(failure.status()).isEqualTo(502);
    assertThat(failure.body()).asString(UTF_8).isEqualTo("denied");
    assertThat(failure.outcome()).hasToString("UPSTREAM_ERROR(status 999)");
  }

  @Test
  void anErrorInPlaceOfALongPageSaysItsStatus() {
    LastFailure failure =
        ofStatus(
            529,
            "<html>" + "x".repeat(70_000),
            false,
            HTML,
            REQUEST_ID,
            new HeaderField("content-encoding", "identity"),
            new HeaderField("retry-after", "7"));
    assertThat(failure.status()).isEqualTo(529);
    assertThat(failure.body())
        .asString(UTF_8)
        .isEqualTo(
            "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
                + "\"The API answered with status 529.\"},\"request_id\":\"req_1\"}");
    assertThat(failure.headers())
        .contains(
            new HeaderField("content-type", "application/json"),
            new HeaderField("content-length", Integer.toString(failure.body().length)),
            new HeaderField("retry-after", "7"),
            REQUEST_ID)
        .doesNotContain(HTML)
        .noneMatch(field -> field.is("content-encoding"));
    assertThat(failure.outcome()).hasToString("UPSTREAM_ERROR(status 529)");
  }

  @Test
  void anErrorInPlaceOfALongOneOfTheApiKeepsItsTypeAndMessage() {
    String begun =
        "{\"type\":\"error\",\"error\":{\"type\":\"new_error\",\"message\":\"so long\",\"details\":\"";
    assertThat(ofStatus(400, begun + "x".repeat(70_000), false).body())
        .asString(UTF_8)
        .isEqualTo(
            "{\"type\":\"error\",\"error\":{\"type\":\"new_error\",\"message\":\"so long\"},"
                + "\"request_id\":null}");
    String cutInItsMessage =
        "{\"error\":{\"type\":\"new_error\",\"message\":\"" + "x".repeat(70_000);
    assertThat(ofStatus(400, cutInItsMessage, false).body())
        .asString(UTF_8)
        .contains("\"invalid_request_error\"", "The API answered with status 400.");
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
