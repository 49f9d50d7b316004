package dev.headrace.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.EndpointTemplate;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RoutesTest {

  private final Routes routes = new Routes(Endpoint.STANDARD);

  @ParameterizedTest
  @CsvSource({
    "POST, /v1/messages, POST /v1/messages",
    "POST, /v1/messages/count_tokens, POST /v1/messages/count_tokens",
    "GET, /v1/models, GET /v1/models",
    "GET, /v1/models/claude-haiku-4-5-20251001, GET /v1/models/{id}",
  })
  void openPathsLeadToTheirEndpoint(String method, String path, String endpoint) {
    assertThat(routes.find(method, path, null))
        .isInstanceOfSatisfying(
            Route.Upstream.class,
            upstream -> {
              assertThat(upstream.endpoint()).hasToString(endpoint);
              assertThat(upstream.pathAndQuery()).isEqualTo(path);
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v1/models/a%2Fb",
        "/v1/models/%2e%2e",
        "/v1/models/..",
        "/v1/models/.",
        "/v1/models/",
        "/v1/models/a;b=c",
        "/v1/models/a\\b",
        "/v1/models/a\r\nX: y",
        "/v1/models/a%00",
        "/v1/models//a",
        "/v1/models/a/b",
        "/v1/models/../messages",
        "//v1/messages",
        "/v1//messages",
        "/v1/messages/",
        "/v1/messages;v=1",
        "/v1/./messages",
        "/V1/messages",
        "/v1/messages/batches",
        "/v1/files",
        "/",
        "/v1/modèles",
      })
  void everyOtherWayOfWritingAPathLeadsNowhere(String path) {
    for (String method : List.of("GET", "POST")) {
      assertThat(refusedStatus(method, path)).as(method + " " + path).isEqualTo(404);
    }
  }

  @Test
  void wrongMethodIsToldTheRightOnes() {
    assertThat(routes.find("GET", "/v1/messages", null))
        .isInstanceOfSatisfying(
            Route.Refused.class,
            refused -> {
              assertThat(refused.error().status()).isEqualTo(405);
              assertThat(refused.allow()).isEqualTo("POST");
              assertThat(refused.error().message()).isEqualTo("This path takes POST.");
            });
  }

  @Test
  void baseUrlThatEndsInV1IsToldWhatToChange() {
    assertThat(routes.find("POST", "/v1/v1/messages", null))
        .isInstanceOfSatisfying(
            Route.Refused.class,
            refused -> {
              assertThat(refused.error().status()).isEqualTo(404);
              assertThat(refused.error().message())
                  .isEqualTo(
                      "The base URL of this client ends in /v1, and the client adds /v1 by itself."
                          + " Remove /v1 from the end of the base URL.");
            });
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "none",
      value = {
        "none, ''",
        "'', ''",
        "limit=20, ?limit=20",
        "limit=20&after_id=m1, ?limit=20&after_id=m1",
        "unknown=1&limit=5, ?limit=5",
        "limit=%0d%0aX:y, ''",
        "limit=a%20b, ?limit=a+b",
        "limit=%zz, ''",
        "limit, ?limit=",
        "limit=1;x=2, ?limit=1%3Bx%3D2",
      })
  void onlyKnownQueryParametersTravelAndAreWrittenAnew(@Nullable String query, String expected) {
    assertThat(routes.find("GET", "/v1/models", query))
        .isInstanceOfSatisfying(
            Route.Upstream.class,
            upstream -> assertThat(upstream.pathAndQuery()).isEqualTo("/v1/models" + expected));
  }

  @Test
  void readinessIsAnsweredHere() {
    assertThat(routes.find("GET", "/ops/ready", null)).isInstanceOf(Route.Ready.class);
    assertThat(routes.find("POST", "/ops/ready", null)).isInstanceOf(Route.Refused.class);
    assertThat(routes.find("GET", "/ops/streaming", null)).isInstanceOf(Route.StreamingCheck.class);
    assertThat(routes.find("POST", "/ops/streaming", null)).isInstanceOf(Route.Refused.class);
  }

  @Test
  void usageReportIsAnsweredHere() {
    assertThat(routes.find("GET", "/ops/usage", "by=user")).isInstanceOf(Route.Report.class);
    assertThat(routes.find("POST", "/ops/usage", null)).isInstanceOf(Route.Refused.class);
    assertThat(routes.find("GET", "/ops/usage/", null)).isInstanceOf(Route.Refused.class);
  }

  @Test
  void extraEndpointsAreOpenAsTheSettingsSay() {
    List<Endpoint> endpoints = new ArrayList<>(Endpoint.STANDARD);
    endpoints.add(Endpoint.of(EndpointTemplate.parse("GET /v1/files/{id}/content")));
    Routes more = new Routes(endpoints);

    assertThat(more.find("GET", "/v1/files/file_1/content", null))
        .isInstanceOf(Route.Upstream.class);
    assertThat(more.find("GET", "/v1/files/file_1", null)).isInstanceOf(Route.Refused.class);
  }

  @Test
  void reachabilityProbeOfClaudeCodeIsAnswered() {
    assertThat(routes.find("HEAD", "/api/hello", null)).isInstanceOf(Route.Probe.class);
  }

  private int refusedStatus(String method, String path) {
    return routes.find(method, path, null) instanceof Route.Refused refused
        ? refused.error().status()
        : 0;
  }
}
