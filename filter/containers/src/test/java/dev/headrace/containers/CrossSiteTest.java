package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.IdentitySource;
import dev.headrace.config.RequestRate;
import dev.headrace.identity.GatewayKey;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.spi.Identity;
import jakarta.servlet.http.HttpServletResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Pages of other sites before the gateway: who is turned away, and who may read the answers. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class CrossSiteTest extends GatewayContract {

  private static final String MESSAGES = "/claude/v1/messages";
  private static final String LISTED = "https://shop.example.com";
  private static final String ROBOTS_KEY = GatewayKey.create(new SecureRandom());
  private static final String JSON = "Content-Type: application/json";
  private static final String ALICE = "x-user: alice";

  @TempDir private Path folder = Path.of("unused");

  CrossSiteTest(ContainerKind kind) {
    super(kind);
  }

  /** Users are who they say in a header, as if the browser had sent a cookie; robots have keys. */
  private GatewayUnderTest headrace(String... origins) throws Exception {
    Path keys = folder.resolve("keys.yaml");
    Files.writeString(
        keys,
        "keys:\n  - {name: robot, sha256: \"%s\", group: staff}%n"
            .formatted(GatewayKey.sha256(ROBOTS_KEY)));
    Map<String, Plan> plans = new LinkedHashMap<>();
    plans.put(
        "staff",
        Plan.builder("staff")
            .roles("staff")
            .requests(new RequestRate(2, Duration.ofHours(1)))
            .build());
    return startWith(
        ClaudeSimulator.builder().apiKey(KEY),
        s ->
            s.identitySources(List.of(IdentitySource.KEY, IdentitySource.RESOLVER))
                .identityKeysFile(keys)
                .crossSiteOrigins(List.of(origins))
                .plans(plans)
                .retryMaxAttempts(1),
        gateway ->
            gateway.resolver(
                request -> {
                  String user = request.getHeader("x-user");
                  return user == null
                      ? null
                      : new Identity(user, user.equals("guest") ? Set.of() : Set.of("staff"));
                }));
  }

  private static RawClient.Reply ask(GatewayUnderTest headrace, String body, String... headerLines)
      throws Exception {
    return send(headrace, "POST", MESSAGES, body, headerLines);
  }

  private static RawClient.Reply send(
      GatewayUnderTest headrace, String method, String path, String body, String... headerLines)
      throws Exception {
    try (RawClient client = RawClient.connect(headrace.port())) {
      byte[] bytes = body.getBytes(UTF_8);
      String head =
          RawClient.head(method, path, headerLines)
              .append("anthropic-version: 2026-10-21\r\nContent-Length: ")
              .append(bytes.length)
              .append("\r\n\r\n")
              .toString();
      client.send(head, bytes);
      // A 204 has neither a body nor a length that would say so (RFC 9110, 8.6).
      return method.equals("OPTIONS") ? client.replyToHead() : client.reply();
    }
  }

  private static void assertReadable(RawClient.Reply reply, int status) {
    assertThat(reply.status()).isEqualTo(status);
    assertThat(reply.header("access-control-allow-origin")).hasValue(LISTED);
    assertThat(reply.header("access-control-allow-credentials")).hasValue("true");
    assertThat(reply.header("access-control-expose-headers").orElseThrow())
        .contains("request-id", "retry-after", "headrace-exchange-id");
    assertThat(reply.fields())
        .filteredOn(field -> field.name().equalsIgnoreCase("vary"))
        .anyMatch(field -> field.value().contains("Origin"));
    assertThat(reply.fields())
        .as("each of them once")
        .filteredOn(field -> field.name().equalsIgnoreCase("access-control-allow-origin"))
        .hasSize(1);
  }

  private static void assertNoCors(RawClient.Reply reply, int status) {
    assertThat(reply.status()).isEqualTo(status);
    assertThat(reply.fields())
        .noneMatch(field -> field.name().toLowerCase(Locale.ROOT).startsWith("access-control-"));
  }

  // ---- who is turned away

  @Test
  void whatAFormCanSendIsRefused() throws Exception {
    GatewayUnderTest headrace = headrace();
    for (String type :
        List.of(
            "Content-Type: text/plain",
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Type: multipart/form-data; boundary=x",
            "Content-Type: text/plain; application/json",
            "Content-Type: application/jsonx",
            "x-no: content-type")) {
      RawClient.Reply reply = ask(headrace, STREAMING, type, ALICE);
      assertNoCors(reply, 415);
      assertThat(reply.body()).contains("\"invalid_request_error\"").contains("application/json");
    }
    assertThat(headrace.claude().attempts()).isZero();
    assertThat(
            ask(headrace, STREAMING, "Content-Type: Application/JSON ;charset=utf-8", ALICE)
                .status())
        .isEqualTo(200);
  }

  @Test
  void aPageOfAnotherOriginIsRefused() throws Exception {
    GatewayUnderTest headrace = headrace();
    for (String foreign :
        List.of(
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Site: same-site",
            "Sec-Fetch-Site: whatever",
            "Origin: https://evil.example",
            "Origin: null",
            "Origin: http://127.0.0.1:1",
            "Origin: " + LISTED)) {
      RawClient.Reply reply = ask(headrace, STREAMING, JSON, ALICE, foreign);
      assertNoCors(reply, 403);
      assertThat(reply.body()).contains("permission_error").contains("cross-site.origins");
    }
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void pagesOfThisSiteAndProgramsPass() throws Exception {
    GatewayUnderTest headrace = headrace();
    assertNoCors(ask(headrace, STREAMING, JSON, "x-user: a"), 200);
    assertNoCors(ask(headrace, STREAMING, JSON, "x-user: a", "Sec-Fetch-Site: same-origin"), 200);
    assertNoCors(ask(headrace, STREAMING, JSON, "x-user: b", "Origin: http://127.0.0.1"), 200);
  }

  @Test
  void aGatewayKeyIsSentByNoBrowserOnItsOwnAndNeedsNoneOfThis() throws Exception {
    GatewayUnderTest headrace = headrace();
    assertNoCors(
        ask(
            headrace,
            STREAMING,
            "Content-Type: text/plain",
            "Origin: https://evil.example",
            "Sec-Fetch-Site: cross-site",
            "x-api-key: " + ROBOTS_KEY),
        200);
  }

  // ---- where the gateway identifies nobody

  @Test
  void aPageOfAnotherSiteIsRefusedAlsoWhereNobodyIsIdentified() throws Exception {
    GatewayUnderTest headrace = start();
    String form = "Content-Type: text/plain";
    String cookie = "Cookie: JSESSIONID=of-the-application";
    for (String foreign : List.of("Sec-Fetch-Site: cross-site", "Origin: https://evil.example")) {
      assertNoCors(ask(headrace, STREAMING, form, foreign), 403);
    }
    RawClient.Reply oldBrowser = ask(headrace, STREAMING, form, cookie);
    assertNoCors(oldBrowser, 415);
    assertThat(oldBrowser.body()).contains("cookie needs Content-Type: application/json");
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void ownPagesAndProgramsPassWhereNobodyIsIdentified() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answersAlways(Answer.text("Hello"));
    String cookie = "Cookie: JSESSIONID=of-the-application";
    assertNoCors(ask(headrace, STREAMING, JSON, cookie, "Sec-Fetch-Site: same-origin"), 200);
    assertNoCors(ask(headrace, STREAMING, JSON, cookie, "Origin: http://127.0.0.1"), 200);
    assertNoCors(ask(headrace, STREAMING, JSON, "x-api-key: any-word"), 200);
    // No browser sends JSON to another origin without leave, which the application may have given.
    assertNoCors(ask(headrace, STREAMING, JSON, cookie, "Origin: https://partner.example"), 200);
    assertNoCors(ask(headrace, STREAMING, "Content-Type: application/x-www-form-urlencoded"), 200);
    assertNoCors(ask(headrace, STREAMING, "x-no: content-type"), 200);
    assertThat(headrace.claude().attempts()).isEqualTo(6);
  }

  @Test
  void aListedOriginMayCallWhereNobodyIsIdentified() throws Exception {
    GatewayUnderTest headrace = start(s -> s.crossSiteOrigins(List.of(LISTED)));
    headrace.claude().answersAlways(Answer.text("Hello"));
    String site = "Sec-Fetch-Site: cross-site";
    assertReadable(ask(headrace, STREAMING, JSON, "Origin: " + LISTED, site, "Cookie: a=b"), 200);
  }

  // ---- who may read

  @Test
  void aListedOriginReadsStreamsAndWholeAnswers() throws Exception {
    GatewayUnderTest headrace = headrace(LISTED);
    RawClient.Reply stream =
        ask(headrace, STREAMING, JSON, ALICE, "Origin: " + LISTED, "Sec-Fetch-Site: cross-site");
    assertReadable(stream, 200);
    assertThat(stream.header("content-type").orElseThrow()).startsWith("text/event-stream");
    assertThat(stream.body()).contains("event: message_stop");
    RawClient.Reply whole =
        ask(headrace, Requests.whole("Hello"), JSON, ALICE, "Origin: " + LISTED);
    assertReadable(whole, 200);
    assertThat(headrace.claude().lastRequest().header("origin")).isEmpty();
    assertThat(headrace.claude().lastRequest().headers().keySet())
        .noneMatch(name -> name.toLowerCase(Locale.ROOT).startsWith("sec-"));
  }

  @Test
  void aListedOriginReadsEveryRefusal() throws Exception {
    GatewayUnderTest headrace = headrace(LISTED);
    String origin = "Origin: " + LISTED;
    assertReadable(ask(headrace, STREAMING, JSON, origin), 401);
    assertReadable(ask(headrace, STREAMING, JSON, origin, "x-api-key: hr_wrong"), 401);
    assertReadable(ask(headrace, STREAMING, JSON, origin, "x-user: guest"), 403);
    assertReadable(ask(headrace, STREAMING, "Content-Type: text/plain", origin, ALICE), 415);
    assertReadable(ask(headrace, "{}", JSON, origin, ALICE), 400);
    assertReadable(ask(headrace, "{\"a\":", JSON, origin, ALICE), 400);
    assertReadable(send(headrace, "POST", "/claude/nothing", "", JSON, origin), 404);
    assertReadable(send(headrace, "PUT", MESSAGES, "", JSON, origin), 405);
    headrace.claude().answers(Answer.status(529));
    assertReadable(ask(headrace, STREAMING, JSON, origin, "x-user: bob"), 529);
    for (int i = 0; i < 2; i++) {
      assertReadable(ask(headrace, STREAMING, JSON, origin, "x-user: carl"), 200);
    }
    RawClient.Reply limited = ask(headrace, STREAMING, JSON, origin, "x-user: carl");
    assertReadable(limited, 429);
    assertThat(limited.header("retry-after")).isPresent();
  }

  @Test
  void aPreflightOfAListedOriginIsAnsweredAndGoesNoFurther() throws Exception {
    GatewayUnderTest headrace = headrace(LISTED);
    for (String path : List.of(MESSAGES, "/claude/chat/support")) {
      RawClient.Reply reply =
          send(
              headrace,
              "OPTIONS",
              path,
              "",
              "Origin: " + LISTED,
              "Access-Control-Request-Method: POST",
              "Access-Control-Request-Headers: anthropic-version,content-type,user-agent,"
                  + "x-stainless-lang,x-xsrf-token");
      assertThat(reply.status()).isEqualTo(204);
      assertThat(reply.header("access-control-allow-origin")).hasValue(LISTED);
      assertThat(reply.header("access-control-allow-credentials")).hasValue("true");
      assertThat(reply.header("access-control-allow-methods").orElseThrow()).contains("POST");
      assertThat(reply.header("access-control-allow-headers").orElseThrow())
          .contains(
              "content-type",
              "anthropic-version",
              "x-stainless-lang",
              "user-agent",
              "x-xsrf-token");
      assertThat(reply.header("access-control-max-age")).hasValue("7200");
      assertThat(reply.header("vary").orElseThrow()).contains("Origin");
    }
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void anOriginThatIsNotListedGetsNoCorsHeaderAtAll() throws Exception {
    GatewayUnderTest headrace = headrace(LISTED);
    for (String origin :
        List.of(
            "https://evil.example",
            "http://shop.example.com",
            "https://shop.example.com:8443",
            "https://shop.example.com.evil.example",
            "https://shop.example.com/",
            "null")) {
      String line = "Origin: " + origin;
      assertNoCors(ask(headrace, STREAMING, JSON, ALICE, line), 403);
      assertNoCors(ask(headrace, STREAMING, JSON, line), 401);
      assertNoCors(
          send(headrace, "OPTIONS", MESSAGES, "", line, "Access-Control-Request-Method: POST"),
          403);
    }
    assertThat(headrace.claude().attempts()).isZero();
    RawClient.Reply own = ask(headrace, STREAMING, JSON, ALICE, "Sec-Fetch-Site: same-origin");
    assertNoCors(own, 200);
    assertThat(own.header("vary").orElseThrow()).as("for caches").contains("Origin");
  }

  @Test
  void behindAFilterThatHasSaidSoEveryHeaderOfCorsIsThereOnce() throws Exception {
    GatewayUnderTest headrace =
        keep(
            GatewayUnderTest.startBehind(
                kind(),
                (request, response, chain) -> {
                  HttpServletResponse http = (HttpServletResponse) response;
                  http.setHeader("Access-Control-Allow-Origin", LISTED);
                  http.setHeader("Access-Control-Allow-Credentials", "true");
                  chain.doFilter(request, response);
                },
                s -> s.crossSiteOrigins(List.of(LISTED))));
    headrace.claude().answersAlways(Answer.text("Hello"));
    RawClient.Reply reply = ask(headrace, STREAMING, JSON, "Origin: " + LISTED);
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.fields())
        .filteredOn(field -> field.name().toLowerCase(Locale.ROOT).startsWith("access-control-"))
        .extracting(field -> field.name().toLowerCase(Locale.ROOT))
        .containsExactlyInAnyOrder(
            "access-control-allow-origin", "access-control-allow-credentials");
  }

  @Test
  void withoutListedOriginsThereIsNoCors() throws Exception {
    GatewayUnderTest headrace = headrace();
    RawClient.Reply reply =
        send(
            headrace,
            "OPTIONS",
            MESSAGES,
            "",
            "Origin: " + LISTED,
            "Access-Control-Request-Method: POST");
    assertNoCors(reply, 405);
    assertThat(reply.header("vary")).isEmpty();
  }
}
