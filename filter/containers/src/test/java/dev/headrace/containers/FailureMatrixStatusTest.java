package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.RawClient.End;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The failure matrix, error statuses: what the client sees, and how often upstream is asked. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class FailureMatrixStatusTest extends FailureContract {

  private static final int REPEATED = 3;

  /**
   * One kind of error answer, given to every attempt.
   *
   * @param body with {@code REQUEST_ID} where the API names the request
   * @param attempts how many upstream calls it is worth
   * @param shouldRetry what the client is told in {@code x-should-retry}; null for nothing
   */
  record Row(
      String name,
      Answer answer,
      int status,
      String body,
      int attempts,
      @Nullable String shouldRetry) {

    String bodyFor(SeenRequest request) {
      return body.replace("REQUEST_ID", request.requestId());
    }

    boolean namesItsRequest() {
      return body.contains("REQUEST_ID");
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static Row error(
      String name,
      int status,
      String type,
      java.util.function.UnaryOperator<Answer> change,
      int attempts,
      @Nullable String shouldRetry) {
    String message = "Message of " + status;
    return new Row(
        name,
        change.apply(Answer.error(status, type, message)),
        status,
        errorJson(type, message, "null"),
        attempts,
        shouldRetry);
  }

  private static String errorJson(String type, String message, String details) {
    return "{\"type\":\"error\",\"error\":{\"details\":"
        + details
        + ",\"type\":\""
        + type
        + "\",\"message\":\""
        + message
        + "\"},\"request_id\":\"REQUEST_ID\"}";
  }

  private static Row refused(int status, String type) {
    return error(status + " " + type, status, type, answer -> answer, 1, null);
  }

  private static Row repeated(int status, String type) {
    return error(status + " " + type, status, type, answer -> answer, REPEATED, "false");
  }

  private static Row html(int status) {
    String page = "<html>\r\n<body>" + status + " Größe</body>\r\n</html>\r\n";
    return new Row(
        status + " with HTML of the edge",
        Answer.body(status, "text/html; charset=UTF-8", page.getBytes(UTF_8))
            .withoutHeader("request-id"),
        status,
        page,
        REPEATED,
        "false");
  }

  private static Row longHtml(int status, String type) {
    return new Row(
        status + " with HTML that is longer than buffers.hold",
        Answer.body(status, "text/html", "<html>".repeat(20_000).getBytes(UTF_8)),
        status,
        "{\"type\":\"error\",\"error\":{\"type\":\""
            + type
            + "\",\"message\":\"The API answered with status "
            + status
            + ".\"},\"request_id\":\"REQUEST_ID\"}",
        REPEATED,
        "false");
  }

  private static List<Row> repeatedRows() {
    return List.of(
        repeated(408, "invalid_request_error"),
        repeated(429, "rate_limit_error"),
        error(
            "429 with retry-after: 0",
            429,
            "rate_limit_error",
            answer -> answer.header("retry-after", "0").shouldRetry(true),
            REPEATED,
            "false"),
        error(
            "429 with retry-after-ms: 30",
            429,
            "rate_limit_error",
            answer -> answer.header("retry-after-ms", "30"),
            REPEATED,
            "false"),
        error(
            "400 with x-should-retry: true",
            400,
            "invalid_request_error",
            answer -> answer.shouldRetry(true),
            REPEATED,
            "false"),
        repeated(500, "api_error"),
        repeated(502, "api_error"),
        html(502),
        repeated(503, "api_error"),
        html(503),
        longHtml(429, "rate_limit_error"),
        longHtml(503, "api_error"),
        repeated(504, "timeout_error"),
        repeated(529, "overloaded_error"));
  }

  private static List<Row> finalRows() {
    return List.of(
        error("400", 400, "invalid_request_error", answer -> answer, 1, "false"), // the API's own
        refused(401, "authentication_error"),
        refused(402, "billing_error"),
        refused(403, "permission_error"),
        refused(404, "not_found_error"),
        refused(409, "conflict_error"),
        refused(422, "invalid_request_error"),
        new Row(
            "413 of the edge",
            Answer.edge413(),
            413,
            "{\"error\":{\"type\":\"request_too_large\",\"message\":\"Request exceeds the maximum size\"}}",
            1,
            null),
        new Row(
            "429 of a spend limit",
            Answer.error(429, "rate_limit_error", "Your monthly spend limit.")
                .errorCode("enforced_spend_limit_reached"),
            429,
            errorJson(
                "rate_limit_error",
                "Your monthly spend limit.",
                "{\"error_code\":\"enforced_spend_limit_reached\"}"),
            1,
            "false"),
        new Row(
            "429 that names a spend limit in words only",
            Answer.error(429, "rate_limit_error", "Your monthly spend limit."),
            429,
            errorJson("rate_limit_error", "Your monthly spend limit.", "null"),
            1,
            "false"),
        error(
            "429 with retry-after: 3600",
            429,
            "rate_limit_error",
            answer -> answer.header("retry-after", "3600").shouldRetry(true),
            1,
            "false"),
        error(
            "529 with retry-after: 3600",
            529,
            "overloaded_error",
            answer -> answer.header("retry-after", "3600"),
            1,
            "false"),
        error(
            "529 with x-should-retry: false",
            529,
            "overloaded_error",
            answer -> answer.shouldRetry(false),
            1,
            "false"));
  }

  static Stream<Arguments> everyRow() {
    return Stream.concat(withEachAsked(repeatedRows()), withEachAsked(finalRows()));
  }

  static Stream<Arguments> everyRepeatedRow() {
    return withEachAsked(repeatedRows());
  }

  FailureMatrixStatusTest(ContainerKind kind) {
    super(kind);
  }

  @ParameterizedTest(name = "{0}, asked for {1}")
  @MethodSource("everyRow")
  void anErrorStatusReachesTheClientAsItIsAfterAsManyAttemptsAsItIsWorth(Row row, Asked asked)
      throws Exception {
    GatewayUnderTest headrace = start(FailureContract::quick);
    headrace.claude().answersAlways(row.answer());

    RawClient.Reply reply = post(headrace, asked.body());

    SeenRequest last = headrace.claude().lastRequest();
    assertThat(reply.status()).isEqualTo(row.status());
    assertThat(reply.body()).isEqualTo(row.bodyFor(last));
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.header("x-should-retry").orElse(null)).isEqualTo(row.shouldRetry());
    assertThat(reply.header("request-id").orElse(null))
        .isEqualTo(row.namesItsRequest() ? last.requestId() : null);
    assertThat(headrace.claude().requests())
        .hasSize(row.attempts())
        .allSatisfy(each -> assertThat(each.bodyText()).isEqualTo(asked.body()));
    assertOutcome(headrace, "UPSTREAM_ERROR(status " + row.status() + ")");
  }

  @ParameterizedTest(name = "{0}, asked for {1}")
  @MethodSource("everyRepeatedRow")
  void afterTwoSuchAnswersTheThirdAttemptIsAllThatTheClientSees(Row row, Asked asked)
      throws Exception {
    GatewayUnderTest headrace = start(FailureContract::quick);
    headrace
        .claude()
        .answers(row.answer())
        .answers(row.answer())
        .answers(Answer.transcript(TEXT))
        .answersAlways(row.answer());

    RawClient.Reply reply = post(headrace, asked.body());

    assertCleanAnswer(reply, asked);
    assertThat(headrace.claude().attempts()).isEqualTo(3);
    assertThat(reply.header("request-id")).hasValue(headrace.claude().lastRequest().requestId());
    assertOutcome(headrace, "COMPLETED");
  }
}
