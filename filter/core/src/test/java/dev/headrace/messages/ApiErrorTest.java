package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ApiErrorTest {
  private static final JsonMapper MAPPER = JsonMapper.shared();

  private static @Nullable ApiError read(String data) {
    byte[] bytes = ("##" + data + "##").getBytes(UTF_8);
    return ApiError.fromEventData(bytes, 2, bytes.length - 4);
  }

  @Test
  void writesTheShapeOfTheApi() {
    assertThat(new ApiError(529, "overloaded_error", "Overloaded", "req_1").json())
        .asString(UTF_8)
        .isEqualTo(
            "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"},\"request_id\":\"req_1\"}");
    assertThat(new ApiError(500, "api_error", "", null).json())
        .asString(UTF_8)
        .isEqualTo(
            "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"\"},\"request_id\":null}");
  }

  @Test
  void writesACompleteErrorEvent() {
    ApiError error = new ApiError(504, "timeout_error", "line 1\nline 2", null);
    assertThat(error.sseEvent())
        .asString(UTF_8)
        .isEqualTo(
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"timeout_error\",\"message\":\"line 1\\nline 2\"},\"request_id\":null}\n\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\" \\ / \b \f \n \r \t \0 \u001F \u007F",
        "\u00FC \u20AC \uD83D\uDE00 \u2028 \u2029 \uFEFF",
        "</script>\r\n\r\nevent: message_stop\r\n\r\n"
      })
  void escapesWhateverTheTextsHold(String text) {
    ApiError error = new ApiError(500, text, text, text);
    JsonNode tree = MAPPER.readTree(error.json());
    assertThat(tree.at("/error/type").stringValue()).isEqualTo(text);
    assertThat(tree.at("/error/message").stringValue()).isEqualTo(text);
    assertThat(tree.get("request_id").stringValue()).isEqualTo(text);
    assertThat(error.json()).doesNotContain('\n', '\r', 0);
    assertThat(ApiError.fromEventData(error.json(), 0, error.json().length)).isEqualTo(error);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\uD83D", "\uDE00", "a\uDE00\uD83Db", "\uD83D\uD83D"})
  void writesHalfSurrogatePairsAsReplacementCharacters(String text) {
    ApiError error = new ApiError(500, "api_error", text, null);
    String expected = text.replaceAll("[\uD83D\uDE00]", "\uFFFD").replaceAll("\\p{Cs}", "\uFFFD");
    assertThat(MAPPER.readTree(error.json()).at("/error/message").stringValue())
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "400,invalid_request_error",
    "401,authentication_error",
    "402,billing_error",
    "403,permission_error",
    "404,not_found_error",
    "409,conflict_error",
    "413,request_too_large",
    "429,rate_limit_error",
    "500,api_error",
    "504,timeout_error",
    "529,overloaded_error"
  })
  void mapsStatusAndTypeBothWays(int status, String type) {
    assertThat(ApiError.statusOf(type)).isEqualTo(status);
    assertThat(ApiError.typeOf(status)).isEqualTo(type);
  }

  @ParameterizedTest
  @CsvSource({
    "405,invalid_request_error",
    "422,invalid_request_error",
    "431,invalid_request_error",
    "502,api_error",
    "503,api_error",
    "520,api_error",
    "200,api_error"
  })
  void givesEveryOtherStatusAGeneralType(int status, String type) {
    assertThat(ApiError.typeOf(status)).isEqualTo(type);
  }

  @Test
  void unknownTypesAreServerErrors() {
    assertThat(ApiError.statusOf("brand_new_error")).isEqualTo(500);
    assertThat(ApiError.statusOf("")).isEqualTo(500);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      value = {
        "{\"type\":\"error\",\"error\":{\"details\":null,\"type\":\"overloaded_error\",\"message\":\"Overloaded\"},\"request_id\":\"req_1\"};529;overloaded_error;Overloaded;req_1",
        "{\"type\": \"error\", \"error\": {\"type\": \"overloaded_error\", \"message\": \"Overloaded\"}   };529;overloaded_error;Overloaded;",
        "{\"error\":{\"type\":\"request_too_large\",\"message\":\"Request exceeds the maximum size\"}};413;request_too_large;Request exceeds the maximum size;",
        "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\",\"details\":{\"error_code\":\"x\",\"type\":\"y\"}},\"request_id\":null};429;rate_limit_error;m;",
        "{\"request_id\":\"r\",\"error\":{\"message\":\"m\",\"type\":\"new_error\"},\"type\":\"error\",\"more\":[1,{}]};500;new_error;m;r",
        "{\"type\":\"error\",\"error\":{\"type\":\"api_error\"}};500;api_error;~~;",
        "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":7},\"request_id\":7};500;api_error;~~;",
        "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\"}} tail;500;api_error;m;",
        "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"cut o;500;api_error;~~;",
        "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\"},\"request_id\":\"re;500;api_error;m;",
      })
  void readsErrorsInEveryShapeTheApiSends(
      String data, int status, String type, String message, @Nullable String requestId) {
    assertThat(read(data)).isEqualTo(new ApiError(status, type, message, requestId));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "\"error\"",
        "{}",
        "<html><body>502</body></html>",
        "{\"type\": \"ping\"}",
        "{\"type\":\"message_stop\",\"error\":{\"type\":\"api_error\",\"message\":\"m\"}}",
        "{\"type\":\"error\"}",
        "{\"type\":\"error\",\"error\":null}",
        "{\"type\":\"error\",\"error\":\"api_error\"}",
        "{\"type\":\"error\",\"error\":{\"message\":\"m\"}}",
        "{\"type\":\"error\",\"error\":{\"type\":null}}",
        "{\"type\":\"error\",\"error\":[{\"type\":\"api_error\"}]}",
        "{\"type\":\"error\",\"error\":{\"type\":\"api_err"
      })
  void anythingElseIsNoError(String data) {
    assertThat(read(data)).isNull();
  }

  @Test
  void readsIllFormedUtf8AsReplacementCharacters() {
    byte[] data = "{\"error\":{\"type\":\"api_error\",\"message\":\"?\"}}".getBytes(UTF_8);
    for (int i = 0; i < data.length; i++) {
      data[i] = data[i] == '?' ? (byte) 0xFF : data[i];
    }
    assertThat(ApiError.fromEventData(data, 0, data.length))
        .isEqualTo(new ApiError(500, "api_error", "\uFFFD", null));
  }

  @Test
  void survivesNestingBombs() {
    assertThat(read("[".repeat(100_000))).isNull();
    assertThat(read("{\"error\":{\"type\":\"api_error\",\"details\":" + "[".repeat(100_000)))
        .isEqualTo(new ApiError(500, "api_error", "", null));
  }

  @Test
  void refusesARangeOutsideTheArray() {
    assertThatThrownBy(() -> ApiError.fromEventData(new byte[3], 2, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "none",
      value = {
        "contract_spend_limit_reached | Limit | false | true",
        "enforced_spend_limit_reached | Limit | true  | true",
        "linked_organization_spend_limit_reached | Limit | false | true",
        "ramp_limit_exceeded | Slow down | true | false",
        "none | This request would exceed your organization's monthly spend limit. | false | true",
        "none | You have reached your specified workspace API usage limits. | false | true",
        "none | This request would exceed your organization's rate limit of 50 requests | false | false",
        "none | Your spend is near its limit, retry later | true | false",
      })
  void limitsOfMoneyAreToldFromLimitsOfRate(
      @Nullable String code, String message, boolean hasRetryAfter, boolean expected) {
    String details = code == null ? "null" : "{\"a\":[1],\"error_code\":\"" + code + "\"}";
    byte[] json =
        ("{\"type\":\"error\",\"error\":{\"details\":"
                + details
                + ",\"type\":\"rate_limit_error\",\"message\":\""
                + message
                + "\"},\"request_id\":null}")
            .getBytes(UTF_8);
    assertThat(ApiError.namesSpendLimit(json, 0, json.length, hasRetryAfter)).isEqualTo(expected);
  }
}
