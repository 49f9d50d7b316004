package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GatewaySettingsTest {
  private static final String MODEL =
      "the name of a model such as claude-sonnet-5-5: letters, digits and . _ : @ / -, a letter or"
          + " digit first, at most 128 of them";

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
                GatewaySettings.Selection.ORDERED,
                List.of(),
                null,
                10_000,
                0,
                ByteSize.ofKibibytes(2),
                Duration.ofMinutes(4),
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
                Duration.ofMinutes(10),
                Duration.ofMinutes(1),
                Duration.ofMinutes(30),
                Duration.ofSeconds(10),
                Duration.ZERO));
    assertThat(settings.buffers())
        .isEqualTo(
            new GatewaySettings.Buffers(
                ByteSize.ofKibibytes(256),
                ByteSize.ofMebibytes(8),
                ByteSize.ofKibibytes(64),
                ByteSize.ofMebibytes(1)));
    assertThat(settings.retry())
        .isEqualTo(
            new GatewaySettings.Retry(
                3,
                Duration.ofMillis(500),
                Duration.ofSeconds(8),
                20,
                3,
                GatewaySettings.Hold.FIRST_EVENT,
                Duration.ofSeconds(3),
                Map.of()));
    assertThat(settings.breaker())
        .isEqualTo(new GatewaySettings.Breaker(true, 50, 50, 20, Duration.ofSeconds(10), 5));
    assertThat(settings.disconnect())
        .isEqualTo(
            new GatewaySettings.Disconnect(
                GatewaySettings.DisconnectPolicy.CANCEL, Duration.ofSeconds(30), 2_000));
    assertThat(settings.blocking())
        .isEqualTo(new GatewaySettings.Blocking(16, GatewaySettings.Writers.AUTO, 64));
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
                    .timeoutsIdleContent(Duration.ZERO)
                    .timeoutsEarlyCommit(Duration.ofMillis(99))
                    .buffersSoft(ByteSize.ofMebibytes(9))
                    .retryMaxAttempts(11)
                    .retryWaitDuration(Duration.ofSeconds(9))
                    .retryBudgetPercent(101)
                    .retryBudgetPerSecond(-1)
                    .retryHoldTime(Duration.ZERO)
                    .breakerFailureRateThreshold(0)
                    .breakerSlidingWindowSize(10)
                    .breakerPermittedNumberOfCallsInHalfOpenState(0)
                    .disconnectDrainTime(Duration.ZERO)
                    .disconnectDrainTokens(0)
                    .blockingMaxConcurrent(10_001)
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
                        "timeouts.idle-content: 0 (expected: above 0 and up to 365d, such as 10m)",
                        "timeouts.heartbeat: 99ms (expected: 0 or off (no heartbeat), or 100ms to"
                            + " 365d)",
                        "timeouts.early-commit: 99ms (expected: 0 or off (never), or 100ms to"
                            + " 365d)",
                        "timeouts.total: 3s (expected: 0 for no limit, or at least"
                            + " timeouts.first-event, which is 120s)",
                        "buffers.hard: 8MiB (expected: at least buffers.soft, which is 9MiB)",
                        "retry.max-attempts: 11 (expected: 1 to 10)",
                        "retry.budget-percent: 101 (expected: 0 to 100)",
                        "retry.budget-per-second: -1 (expected: 0 to 10000)",
                        "retry.hold-time: 0 (expected: above 0 and up to 365d, such as 3s)",
                        "retry.max-wait-duration: 8s (expected: at least retry.wait-duration,"
                            + " which is 9s)",
                        "breaker.failure-rate-threshold: 0 (expected: 1 to 100)",
                        "breaker.permitted-number-of-calls-in-half-open-state: 0 (expected: 1 to"
                            + " 1000)",
                        "breaker.minimum-number-of-calls: 20 (expected: at most"
                            + " breaker.sliding-window-size, which is 10)",
                        "disconnect.drain-time: 0 (expected: above 0 and up to 365d, such as 30s)",
                        "disconnect.drain-tokens: 0 (expected: 1 to 1000000)",
                        "blocking.max-concurrent: 10001 (expected: 0 to 10000)",
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

  @Test
  void withoutMembersThereIsOneThatTheOtherSettingsDescribe() {
    GatewaySettings.Upstream upstream =
        builder().upstreamBaseUrl(URI.create("https://example.com/")).build().upstream();
    assertThat(upstream.members()).isEmpty();
    assertThat(upstream.resolvedMembers())
        .containsExactly(
            new GatewaySettings.Member(
                "main", URI.create("https://example.com"), Secret.of("k"), null, 1));
    assertThat(upstream.readApiKey(upstream.resolvedMembers().get(0))).isEqualTo(Secret.of("k"));
  }

  @Test
  void membersTakeFromTheUpstreamWhatTheyLeaveOut(@TempDir Path folder) throws IOException {
    Path ofUpstream = Files.writeString(folder.resolve("upstream.key"), "from-upstream");
    Path ofMember = Files.writeString(folder.resolve("member.key"), "from-member");
    URI url = URI.create("https://example.com");
    GatewaySettings.Upstream upstream =
        GatewaySettings.builder()
            .upstreamApiKeyFile(ofUpstream)
            .upstreamMembers(
                List.of(
                    new GatewaySettings.Member("bare", null, null, null, 1),
                    new GatewaySettings.Member(
                        "key", URI.create(url + "//"), Secret.of("a"), null, 2),
                    new GatewaySettings.Member("file", null, null, ofMember, 3)))
            .build()
            .upstream();
    URI standard = URI.create("https://api.anthropic.com");
    assertThat(upstream.resolvedMembers())
        .containsExactly(
            new GatewaySettings.Member("bare", standard, null, ofUpstream, 1),
            new GatewaySettings.Member("key", url, Secret.of("a"), null, 2),
            new GatewaySettings.Member("file", standard, null, ofMember, 3));
    for (List<GatewaySettings.Member> members :
        List.of(upstream.members(), upstream.resolvedMembers())) {
      assertThat(members.stream().map(upstream::readApiKey))
          .containsExactly(Secret.of("from-upstream"), Secret.of("a"), Secret.of("from-member"));
    }
  }

  @Test
  void memberWithoutKeyUsesTheSourceOfTheApplication() {
    GatewaySettings.Upstream upstream =
        GatewaySettings.builder()
            .upstreamApiKeySource(() -> Secret.of("from-vault"))
            .upstreamMembers(List.of(new GatewaySettings.Member("a", null, null, null, 1)))
            .build()
            .upstream();
    GatewaySettings.Member member = upstream.resolvedMembers().get(0);
    assertThat(member.apiKey()).isNull();
    assertThat(member.apiKeyFile()).isNull();
    assertThat(upstream.readApiKey(member)).isEqualTo(Secret.of("from-vault"));
  }

  @Test
  void keyFileThatIsGoneIsReportedWithItsMember(@TempDir Path folder) {
    Path absent = folder.resolve("absent");
    GatewaySettings.Upstream upstream =
        builder()
            .upstreamMembers(List.of(new GatewaySettings.Member("a", null, null, absent, 1)))
            .build()
            .upstream();
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> upstream.readApiKey(upstream.resolvedMembers().get(0)))
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .containsExactly(
                        "upstream.members[a].api-key-file: "
                            + Shown.text(absent.toString())
                            + " does not exist (expected: a readable file that contains the API key"
                            + " and nothing else)"));
  }

  @Test
  void memberChecksItsValues() {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(
            () ->
                new GatewaySettings.Member(
                    "a b", URI.create("https://example.com/v1"), Secret.of("a b"), Path.of("k"), 0))
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .containsExactly(
                        "upstream.members[a b].name: \"a b\" (expected: a name of letters, digits,"
                            + " dot, dash and underscore, at most 40 of them)",
                        "upstream.members[a b].base-url: https://example.com/v1 (expected: the URL"
                            + " without /v1, because the gateway adds /v1/messages and its like"
                            + " itself)",
                        "upstream.members[a b].api-key: **** (expected: visible ASCII characters,"
                            + " without spaces and line breaks)",
                        "upstream.members[a b].api-key and upstream.members[a b].api-key-file are"
                            + " both set (expected: one of them)",
                        "upstream.members[a b].weight: 0 (expected: 1 to 1000)"));
  }

  @Test
  void membersOfTheBuilderAreCheckedTogether() {
    GatewaySettings.Member bare = new GatewaySettings.Member("a", null, null, null, 1);
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> GatewaySettings.builder().upstreamMembers(List.of(bare, bare)).build())
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .containsExactly(
                        "upstream.members[1].name: a (expected: one that no other element of the"
                            + " list has)",
                        noKeyOfMember(0),
                        noKeyOfMember(1)));
    assertRefused(
        builder().upstreamMembers(numbered(21)),
        "upstream.members: 21 members (expected: at most 20 members)");
    assertThat(builder().upstreamMembers(numbered(20)).build().upstream().members()).hasSize(20);
  }

  private static String noKeyOfMember(int index) {
    return "upstream.members["
        + index
        + "]: no API key (expected: api-key or api-key-file, or for all members upstream.api-key or"
        + " upstream.api-key-file)";
  }

  private static List<GatewaySettings.Member> numbered(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new GatewaySettings.Member("m" + i, null, null, null, 1))
        .toList();
  }

  @Test
  void gatewayThatIsSwitchedOffNeedsNoKeyForItsMembers() {
    GatewaySettings.Member bare = new GatewaySettings.Member("a", null, null, null, 1);
    GatewaySettings settings =
        GatewaySettings.builder().enabled(false).upstreamMembers(List.of(bare)).build();
    assertThat(settings.upstream().resolvedMembers().get(0).apiKey()).isNull();
  }

  @Test
  void fallbacksOfTheBuilderAreChecked() {
    Map<String, List<String>> fallbacks = new LinkedHashMap<>();
    fallbacks.put("a b", List.of("c"));
    fallbacks.put("claude-a", List.of("x", "claude-a"));
    fallbacks.put("claude-b", List.of());
    fallbacks.put("claude-c", List.of("x", "y", "x"));
    fallbacks.put("claude-d", List.of("1", "2", "3", "4", "5", "6"));
    fallbacks.put("claude-e", List.of("-x"));
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> builder().retryFallbacks(fallbacks).build())
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .containsExactly(
                        "retry.fallbacks: the key \"a b\" (expected: " + MODEL + ")",
                        "retry.fallbacks.claude-a: [x, claude-a] (expected: other models than"
                            + " claude-a itself)",
                        "retry.fallbacks.claude-b: [] (expected: 1 to 5 models)",
                        "retry.fallbacks.claude-c: [x, y, x] (expected: each element once)",
                        "retry.fallbacks.claude-d: [1, 2, 3, 4, 5, 6] (expected: 1 to 5 models)",
                        "retry.fallbacks.claude-e: -x (expected: " + MODEL + ")"));
  }

  @Test
  void fallbacksKeepTheirOrderAndAreCopied() {
    Map<String, List<String>> fallbacks = new LinkedHashMap<>();
    List<String> others = new ArrayList<>(List.of("x", "y"));
    for (String model : List.of("q", "b", "z", "a", "m")) {
      fallbacks.put(model, others);
    }
    GatewaySettings settings = builder().retryFallbacks(fallbacks).build();
    fallbacks.clear();
    others.clear();
    assertThat(settings.retry().fallbacks().keySet()).containsExactly("q", "b", "z", "a", "m");
    assertThat(settings.retry().fallbacks()).isUnmodifiable();
    assertThat(settings.retry().fallbacks().get("a")).containsExactly("x", "y").isUnmodifiable();
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
    List<String> headers = new ArrayList<>(List.of("x-tenant"));
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
