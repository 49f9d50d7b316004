package dev.headrace.identity;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.config.IdentitySource;
import dev.headrace.identity.CrossSite.Preflight;
import dev.headrace.messages.ApiError;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CrossSiteTest {
  private static final String SHOP = "https://shop.example.com";
  private static final CrossSite CLOSED = new CrossSite(Set.of(), false);
  private static final CrossSite OPEN_TO_SHOP = new CrossSite(Set.of(SHOP), false);

  private static FakeRequest json() {
    return FakeRequest.post().header("Content-Type", "application/json");
  }

  private static int status(CrossSite crossSite, FakeRequest request) {
    ApiError error = crossSite.check(request.request(), IdentitySource.SESSION);
    return error == null ? 200 : error.status();
  }

  @ParameterizedTest
  @EnumSource(IdentitySource.class)
  void onlyACallerWithAKeyMayBeCalledForFromAnywhere(IdentitySource source) {
    FakeRequest request =
        FakeRequest.post()
            .header("Content-Type", "text/plain")
            .header("Origin", "https://evil.example")
            .header("Sec-Fetch-Site", "cross-site");
    ApiError error = CLOSED.check(request.request(), source);
    assertThat(error == null).isEqualTo(source == IdentitySource.KEY);
  }

  /** As sent by the TypeScript SDK on Node (API reference, captured). */
  @Test
  void theTypeScriptSdkOnNodePasses() {
    FakeRequest request = json().header("sec-fetch-mode", "cors").header("accept-language", "*");
    for (IdentitySource source : IdentitySource.values()) {
      assertThat(CLOSED.check(request.request(), source)).isNull();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"application/json", "application/json; charset=utf-8", " Application/JSON ;x=y"})
  void jsonIsTaken(String type) {
    assertThat(status(CLOSED, FakeRequest.post().header("Content-Type", type))).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "",
        "application/jsonx",
        "text/plain; application/json",
        "text/json"
      })
  void whatAFormCanSendIsNotTaken(String type) {
    FakeRequest request = FakeRequest.post().header("Content-Type", type);
    assertThat(status(CLOSED, request)).isEqualTo(415);
    assertThat(status(CLOSED, FakeRequest.post())).isEqualTo(415);
  }

  @ParameterizedTest
  @CsvSource({
    "same-origin, false, 200",
    "none, false, 200",
    "same-site, false, 403",
    "same-site, true, 200",
    "cross-site, false, 403",
    "cross-site, true, 403",
    "invented, true, 403",
  })
  void theBrowserTellsWhoseTheCallingPageIs(String site, boolean sameSite, int status) {
    CrossSite crossSite = new CrossSite(Set.of(), sameSite);
    assertThat(status(crossSite, json().header("Sec-Fetch-Site", site))).isEqualTo(status);
  }

  @ParameterizedTest
  @CsvSource({
    "http://gateway.example.com:8080, http://gateway.example.com:8080, 200",
    "http://gateway.example.com:8080, HTTP://Gateway.Example.com:8080, 200",
    "http://gateway.example.com:80, http://gateway.example.com, 200",
    "https://gateway.example.com:443, https://gateway.example.com, 200",
    "http://[::1]:8080, http://[::1]:8080, 200",
    "http://fd00::5:8080, http://[fd00::5]:8080, 200", // as Undertow names the server
    "http://fd00::5:8080, http://[fd00::6]:8080, 403",
    "http://app_server:8080, http://app_server:8080, 200",
    "http://app_server:8080, http://app_servers:8080, 403",
    "http://gateway.example.com:8080, http://gateway.example.com, 403",
    "http://gateway.example.com:8080, https://gateway.example.com:8080, 403",
    "http://gateway.example.com:8080, http://gateway.example.com.evil.example:8080, 403",
    "http://gateway.example.com:8080, null, 403",
    "http://gateway.example.com:8080, '', 403",
    "http://gateway.example.com:8080, http://x@gateway.example.com:8080, 403",
  })
  void withoutThatTheOriginMustBeOurs(String own, String origin, int status) {
    assertThat(status(CLOSED, json().at(own).header("Origin", origin))).isEqualTo(status);
  }

  @Test
  void behindAProxyThatEndsTlsABrowserThatSaysSameOriginPasses() {
    FakeRequest request =
        json().at("http://internal:8080").header("Origin", "https://www.example.com");
    assertThat(status(CLOSED, request)).isEqualTo(403);
    assertThat(status(CLOSED, request.header("Sec-Fetch-Site", "same-origin"))).isEqualTo(200);
  }

  @Test
  void aRefusalNamesTheSetting() {
    FakeRequest request = json().header("Origin", "https://evil.example");
    ApiError error = requireNonNull(CLOSED.check(request.request(), IdentitySource.PRINCIPAL));
    assertThat(error.type()).isEqualTo("permission_error");
    assertThat(error.message()).contains("cross-site.origins").doesNotContain("evil");
  }

  @Test
  void severalOriginsOrSitesAreNotGuessedFrom() {
    FakeRequest origins = json().header("Origin", SHOP).header("Origin", "https://evil.example");
    assertThat(status(OPEN_TO_SHOP, origins)).isEqualTo(403);
    FakeRequest sites =
        json().header("Sec-Fetch-Site", "same-origin").header("Sec-Fetch-Site", "cross-site");
    assertThat(status(CLOSED, sites)).isEqualTo(403);
  }

  @Test
  void readingIsLeftToTheBrowsersOwnRules() {
    FakeRequest request = FakeRequest.post().method("GET").header("Sec-Fetch-Site", "cross-site");
    assertThat(status(CLOSED, request)).isEqualTo(200);
    assertThat(status(CLOSED, request.method("DELETE"))).isEqualTo(403);
  }

  // ---- where the gateway identifies nobody

  private static int statusOfNobody(CrossSite crossSite, FakeRequest request) {
    ApiError error = crossSite.check(request.request(), null);
    return error == null ? 200 : error.status();
  }

  @Test
  void aPageOfAnotherSiteIsRefusedAlsoWhereNobodyIsIdentified() {
    for (String[] foreign :
        new String[][] {
          {"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}
        }) {
      assertThat(statusOfNobody(CLOSED, form().header(foreign[0], foreign[1]))).isEqualTo(403);
      // A browser asks before it sends that, and the gateway or the application answers.
      assertThat(statusOfNobody(CLOSED, json().header(foreign[0], foreign[1]))).isEqualTo(200);
    }
    assertThat(statusOfNobody(CLOSED, form().header("Sec-Fetch-Site", "same-origin")))
        .isEqualTo(200);
    assertThat(statusOfNobody(OPEN_TO_SHOP, form().header("Origin", SHOP))).isEqualTo(200);
  }

  private static FakeRequest form() {
    return FakeRequest.post().header("Content-Type", "text/plain");
  }

  @Test
  void aFormIsRefusedWhereTheApplicationMayKnowTheVisitor() {
    assertThat(statusOfNobody(CLOSED, form().header("Cookie", "JSESSIONID=1"))).isEqualTo(415);
    FakeRequest withLogin = FakeRequest.post().login("alice");
    assertThat(statusOfNobody(CLOSED, withLogin)).isEqualTo(415);
    FakeRequest withSession = FakeRequest.post().session("cart", "empty");
    assertThat(statusOfNobody(CLOSED, withSession)).isEqualTo(415);
    FakeRequest page = json().login("alice").session("a", "b").header("Cookie", "JSESSIONID=1");
    assertThat(statusOfNobody(CLOSED, page)).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"application/json", "application/x-www-form-urlencoded", "", "text/json"})
  void aProgramWithoutALoginMaySendAnyContentType(String type) {
    FakeRequest curl = FakeRequest.post().header("Content-Type", type);
    assertThat(statusOfNobody(CLOSED, curl)).isEqualTo(200);
    assertThat(statusOfNobody(CLOSED, FakeRequest.post())).isEqualTo(200);
  }

  // ---- CORS

  @Test
  void withoutListedOriginsThereIsNoCors() {
    FakeRequest preflight =
        FakeRequest.post()
            .method("OPTIONS")
            .header("Origin", SHOP)
            .header("Access-Control-Request-Method", "POST");
    assertThat(CLOSED.preflight(preflight.request())).isNull();
    assertThat(CLOSED.answerHeaders(json().header("Origin", SHOP).request())).isEmpty();
  }

  @Test
  void aListedOriginMayCallAndRead() {
    FakeRequest request = json().header("Origin", SHOP).header("Sec-Fetch-Site", "cross-site");
    assertThat(status(OPEN_TO_SHOP, request)).isEqualTo(200);
    assertThat(OPEN_TO_SHOP.answerHeaders(request.request()))
        .containsEntry("Access-Control-Allow-Origin", SHOP)
        .containsEntry("Access-Control-Allow-Credentials", "true")
        .containsEntry("Vary", "Origin")
        .hasEntrySatisfying(
            "Access-Control-Expose-Headers",
            exposed -> assertThat(exposed).contains("request-id", "retry-after"));
  }

  @Test
  void anotherOriginGetsNothingButVary() {
    FakeRequest request = json().header("Origin", "https://evil.example");
    assertThat(OPEN_TO_SHOP.answerHeaders(request.request()))
        .hasSize(1)
        .containsEntry("Vary", "Origin");
  }

  @Test
  void aPreflightOfAListedOriginIsAnswered() {
    FakeRequest request =
        FakeRequest.post()
            .method("OPTIONS")
            .header("Origin", SHOP)
            .header("Access-Control-Request-Method", "POST")
            .header(
                "Access-Control-Request-Headers",
                "content-type,anthropic-dangerous-direct-browser-access, x-stainless-lang,cookie,x\u0000y");
    Preflight answer = requireNonNull(OPEN_TO_SHOP.preflight(request.request()));
    assertThat(answer.status()).isEqualTo(204);
    assertThat(answer.headers())
        .containsEntry("Access-Control-Allow-Origin", SHOP)
        .containsEntry("Access-Control-Allow-Methods", "POST")
        .containsEntry(
            "Access-Control-Allow-Headers",
            "content-type, anthropic-version, anthropic-beta, x-csrf-token, x-xsrf-token,"
                + " authorization, x-api-key, user-agent,"
                + " anthropic-dangerous-direct-browser-access, x-stainless-lang")
        .containsKeys("Access-Control-Max-Age", "Access-Control-Allow-Credentials", "Vary");
  }

  @Test
  void aPreflightOfAnotherOriginIsRefused() {
    FakeRequest request =
        FakeRequest.post()
            .method("OPTIONS")
            .header("Origin", "https://evil.example")
            .header("Access-Control-Request-Method", "POST");
    Preflight answer = requireNonNull(OPEN_TO_SHOP.preflight(request.request()));
    assertThat(answer.status()).isEqualTo(403);
    assertThat(answer.headers()).containsOnlyKeys("Vary");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*",
        "null",
        "shop.example.com",
        "https://shop.example.com/",
        "https://",
        "https:shop"
      })
  void whatIsNoOriginCannotBeListed(String origin) {
    assertThatThrownBy(() -> new CrossSite(Set.of(origin), false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected: an origin");
  }
}
