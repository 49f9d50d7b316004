package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GatewaySettingsTest {
  @Test
  void defaultsAreThoseOfTheReference() {
    GatewaySettings settings = builder().build();
    assertThat(settings.enabled()).isTrue();
    assertThat(settings.mount()).isEqualTo("/claude");
    assertThat(settings.upstream())
        .isEqualTo(
            new GatewaySettings.Upstream(
                URI.create("https://api.anthropic.com"),
                Secret.of("k"),
                null,
                null,
                null,
                10_000,
                0,
                ByteSize.ofKibibytes(8),
                Duration.ofMinutes(1),
                Duration.ofMinutes(5),
                List.of()));
    assertThat(settings.request())
        .isEqualTo(
            new GatewaySettings.Request(
                ByteSize.ofMebibytes(32), Duration.ofMinutes(1), List.of()));
    assertThat(settings.timeouts())
        .isEqualTo(
            new GatewaySettings.Timeouts(
                Duration.ofSeconds(5),
                Duration.ofMinutes(2),
                Duration.ofMinutes(2),
                Duration.ofMinutes(1),
                Duration.ofMinutes(30),
                Duration.ofSeconds(10)));
    assertThat(settings.buffers())
        .isEqualTo(
            new GatewaySettings.Buffers(
                ByteSize.ofKibibytes(256),
                ByteSize.ofMebibytes(8),
                ByteSize.ofKibibytes(64),
                ByteSize.ofMebibytes(1)));
    assertThat(settings.shutdown()).isEqualTo(new GatewaySettings.Shutdown(Duration.ofSeconds(10)));
  }

  @Test
  void builderReportsTheProblemsOfAllGroupsTogether() {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(
            () ->
                GatewaySettings.builder()
                    .mount("claude")
                    .upstreamIoThreads(-1)
                    .requestMaxBody(ByteSize.ofBytes(1))
                    .timeoutsConnect(Duration.ZERO)
                    .timeoutsIdle(Duration.ofNanos(1_500_000))
                    .timeoutsTotal(Duration.ofSeconds(3))
                    .timeoutsHeartbeat(Duration.ofMillis(99))
                    .buffersSoft(ByteSize.ofMebibytes(9))
                    .shutdownDrain(Duration.ofSeconds(-1))
                    .build())
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .containsExactly(
                        "upstream.io-threads: -1 (expected: 0 to 64)",
                        "request.max-body: 1B (expected: 1KiB to 1GiB)",
                        "timeouts.connect: 0 (expected: above 0 and up to 365d, such as 5s)",
                        "timeouts.idle: PT0.0015S (expected: whole milliseconds)",
                        "timeouts.heartbeat: 99ms (expected: 0 or off (no heartbeat), or 100ms to"
                            + " 365d)",
                        "timeouts.total: 3s (expected: 0 for no limit, or at least"
                            + " timeouts.first-event, which is 120s)",
                        "buffers.hard: 8MiB (expected: at least buffers.soft, which is 9MiB)",
                        "shutdown.drain: PT-1S (expected: 0 (no waiting) or up to 365d)",
                        "mount: claude (expected: / or a path such as /claude: no slash at the end;"
                            + " letters, digits, dot, dash, underscore and tilde only)",
                        "No API key for the upstream: set upstream.api-key, normally to"
                            + " ${ANTHROPIC_API_KEY}, or upstream.api-key-file"));
  }

  @Test
  void onlyOneSourceOfTheApiKeyIsTaken() {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> builder().upstreamApiKeySource(() -> Secret.of("x")).build())
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .containsExactly(
                        "upstream.api-key is set, and the application has an API key source"
                            + " (expected: one of them)"));
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> builder().upstreamApiKeyFile(Path.of("key")).build())
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .containsExactly(
                        "upstream.api-key and upstream.api-key-file are both set (expected: one of"
                            + " them)"));
  }

  @Test
  void apiKeyComesFromWhereverItWasSet() {
    assertThat(builder().build().upstream().readApiKey()).isEqualTo(Secret.of("k"));
    GatewaySettings.Upstream source =
        GatewaySettings.builder()
            .upstreamApiKeySource(() -> Secret.of("from-vault"))
            .build()
            .upstream();
    assertThat(source.readApiKey()).isEqualTo(Secret.of("from-vault"));
    GatewaySettings.Upstream none = GatewaySettings.builder().enabled(false).build().upstream();
    assertThatExceptionOfType(SettingsException.class).isThrownBy(none::readApiKey);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/a", "/claude", "/a/b.c/d_e-f~1"})
  void usableMounts(String mount) {
    assertThat(builder().mount(mount).build().mount()).isEqualTo(mount);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "/a/",
        "//",
        "/a//b",
        "/*",
        "/a/*",
        "/a?b",
        "/a#b",
        "/%61",
        "/a;b",
        "/a\\b",
        "/.",
        "/..",
        "/a/../b",
        "/a/.",
        "/ä",
        "/a b",
        "/a\n",
        "*.do",
        "http://a/b"
      })
  void unusableMounts(String mount) {
    assertRefused(builder().mount(mount), "mount: ");
  }

  @ParameterizedTest
  @CsvSource({
    "https://api.anthropic.com, https://api.anthropic.com",
    "https://api.anthropic.com/, https://api.anthropic.com",
    "http://localhost:8080, http://localhost:8080",
    "HTTPS://[::1]:8443/a/b//, HTTPS://[::1]:8443/a/b",
    "https://example.com/v1/proxy, https://example.com/v1/proxy",
    "https://example.com/v10, https://example.com/v10",
  })
  void usableBaseUrls(String given, String kept) {
    GatewaySettings settings = builder().upstreamBaseUrl(URI.create(given)).build();
    assertThat(settings.upstream().baseUrl()).isEqualTo(URI.create(kept));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ftp://example.com|that begins with https:// or http://",
        "example.com|that begins with https:// or http://",
        "mailto:a@example.com|that begins with https:// or http://",
        "https:///path|with a host name",
        "https:example.com|with a host name",
        "https://my_host:80|with a host name",
        "https://example.com:70000|with a host name",
        "https://me@example.com|without user and password",
        "https://me:pw@my_host|without user and password",
        "https://example.com?a=b|without query and fragment",
        "https://example.com#a|without query and fragment",
        "https://example.com/v1|without /v1",
        "https://example.com/v1//|without /v1",
        "https://example.com/a//b|whose path",
        "https://example.com/a/../b|whose path",
        "https://example.com/a%2Fb|whose path",
      })
  void unusableBaseUrls(String url, String expected) {
    assertRefused(builder().upstreamBaseUrl(URI.create(url)), expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "authorization",
        "x-api-key",
        "cookie",
        "origin",
        "referer",
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept-encoding",
        "forwarded",
        "x-forwarded-for",
        "X-Forwarded-Proto",
        "sec-fetch-site",
        "AUTHORIZATION"
      })
  void headersThatAreNeverForwarded(String header) {
    assertRefused(
        builder().upstreamForwardHeaders(List.of("x-tenant", header)), " is never forwarded: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x tenant", "x:y", "x\r\ny", "x,y", "ä"})
  void headersThatAreNoTokens(String header) {
    assertRefused(
        builder().upstreamForwardHeaders(List.of(header)), "(expected: the name of a request");
  }

  @Test
  void headersLoseTheirCaseAndMustBeDistinct() {
    assertThat(
            builder()
                .upstreamForwardHeaders(List.of("X-Tenant", "secure", "x-forward"))
                .build()
                .upstream()
                .forwardHeaders())
        .containsExactly("x-tenant", "secure", "x-forward");
    assertRefused(
        builder().upstreamForwardHeaders(List.of("X-Tenant", "x-tenant")),
        "(expected: each element once)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /v1/files",
        "POST /v1/files",
        "DELETE /v1/files/{id}",
        "GET /v1/a.b_c-d/{x}/e"
      })
  void usableEndpoints(String text) {
    assertThat(EndpointTemplate.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "GET",
        "/v1/files",
        "PUT /v1/files",
        "get /v1/files",
        "GET  /v1/files",
        "GET /v1",
        "GET /v1/",
        "GET /v1/files/",
        "GET /v2/files",
        "GET /v1//files",
        "GET /v1/../files",
        "GET /v1/.",
        "GET /v1/{}",
        "GET /v1/{a",
        "GET /v1/a{b}",
        "GET /v1/{1}",
        "GET /v1/a%2Fb",
        "GET /v1/files?a=b",
        "GET /v1/files ",
        "GET /v1/*",
        "GET /v1/a;b",
        "GET /v1/files\n"
      })
  void unusableEndpoints(String text) {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> EndpointTemplate.parse(text))
        .withMessageContaining("request.extra-endpoints: ")
        .withMessageContaining("(expected: a method and a path such as GET /v1/files/{id}; ");
  }

  @Test
  void ioThreadsOfZeroMeanOnePerProcessorButAtMostFour() {
    assertThat(builder().build().upstream().ioThreadCount())
        .isEqualTo(Math.min(4, Runtime.getRuntime().availableProcessors()));
    assertThat(builder().upstreamIoThreads(7).build().upstream().ioThreadCount()).isEqualTo(7);
  }

  @Test
  void zeroMeansNoLimitWhereItIsAllowed() {
    GatewaySettings settings =
        builder()
            .timeoutsTotal(Duration.ZERO)
            .timeoutsHeartbeat(Duration.ZERO)
            .shutdownDrain(Duration.ZERO)
            .build();
    assertThat(settings.timeouts().total()).isZero();
    assertThat(settings.timeouts().heartbeat()).isZero();
    assertThat(settings.shutdown().drain()).isZero();
  }

  @Test
  void listsAreCopied() {
    List<String> headers = new java.util.ArrayList<>(List.of("x-tenant"));
    GatewaySettings settings = builder().upstreamForwardHeaders(headers).build();
    headers.add("cookie");
    assertThat(settings.upstream().forwardHeaders()).containsExactly("x-tenant").isUnmodifiable();
  }

  @Test
  @SuppressWarnings("NullAway") // what callers without a null checker do
  void nullIsRefusedWithTheNameOfTheSetting() {
    assertThatNullPointerException().isThrownBy(() -> builder().mount(null)).withMessage("mount");
  }

  private static GatewaySettingsBuilder builder() {
    return GatewaySettings.builder().upstreamApiKey(Secret.of("k"));
  }

  private static void assertRefused(GatewaySettingsBuilder builder, String expected) {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(builder::build)
        .withMessageStartingWith("1 problem in the settings:")
        .withMessageContaining(expected);
  }
}
