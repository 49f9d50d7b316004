package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.headrace.config.AddressBlock;
import dev.headrace.config.IdentitySource;
import dev.headrace.containers.ApplicationWithLogin.Login;
import dev.headrace.containers.ContainerKind.RunningContainer;
import dev.headrace.identity.Caller;
import dev.headrace.identity.CrossSite;
import dev.headrace.identity.GatewayKey;
import dev.headrace.identity.Identification;
import dev.headrace.identity.IdentityRules;
import dev.headrace.identity.KeyFile;
import dev.headrace.messages.ApiError;
import dev.headrace.spi.Identity;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** Who is calling, with the real logins, sessions and headers of real containers. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class IdentityTest {
  private static final String ALICES_KEY = GatewayKey.create(new SecureRandom());
  private static final String ROBOTS_KEY = GatewayKey.create(new SecureRandom());
  private static final String LISTED = "https://shop.example.com";

  private final ContainerKind kind;
  private final List<AutoCloseable> open = new CopyOnWriteArrayList<>();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Logger ours = (Logger) LoggerFactory.getLogger("dev.headrace.identity");
  @TempDir private Path folder = Path.of("unused");

  IdentityTest(ContainerKind kind) {
    this.kind = kind;
  }

  @BeforeEach
  void listen() {
    root.getAppender("CONSOLE").stop();
    log.start();
    root.addAppender(log);
    ours.setLevel(Level.TRACE);
  }

  @AfterEach
  void noKeyIsInTheLog() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    ours.setLevel(null);
    root.detachAppender(log);
    root.getAppender("CONSOLE").start();
    for (ILoggingEvent event : log.list) {
      assertThat(event.getFormattedMessage())
          .doesNotContain(ALICES_KEY, ROBOTS_KEY, "forged-user", "wonder");
    }
  }

  // ---- the application

  /** Answers with the caller, guarded as the gateway is to be. */
  private static final class WhoServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;
    private final transient Identification identification;
    private final transient CrossSite crossSite;

    WhoServlet(Identification identification, CrossSite crossSite) {
      this.identification = identification;
      this.crossSite = crossSite;
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      CrossSite.Preflight preflight = crossSite.preflight(request);
      if (preflight != null) {
        response.setStatus(preflight.status());
        preflight.headers().forEach(response::addHeader);
        return;
      }
      crossSite.answerHeaders(request).forEach(response::addHeader);
      Identification.Result result = identification.identify(request);
      if (result instanceof Identification.Known known) {
        ApiError refusal = crossSite.check(request, known.caller().source());
        if (refusal == null) {
          write(response, 200, text(known.caller()));
        } else {
          write(response, refusal.status(), new String(refusal.json(), StandardCharsets.UTF_8));
        }
      } else {
        ApiError error =
            result instanceof Identification.Refused refused
                ? refused.error()
                : ((Identification.Nobody) result).error();
        write(response, error.status(), new String(error.json(), StandardCharsets.UTF_8));
      }
    }

    private static String text(Caller caller) {
      return caller.source() + " " + caller.user() + " " + new TreeSet<>(caller.roles());
    }

    private static void write(HttpServletResponse response, int status, String body)
        throws IOException {
      response.setStatus(status);
      response.setContentType("application/json");
      response.setCharacterEncoding("UTF-8");
      response.getWriter().write(body);
    }
  }

  /** The application's own login: whoever comes here is in. */
  private static final class EnterServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) {
      request.getSession(true).setAttribute("customer", request.getParameter("as"));
    }
  }

  private Path keyFile() {
    return folder.resolve("keys.yaml");
  }

  private void writeKeys(String... entries) throws IOException {
    Files.writeString(
        keyFile(), "keys:" + (entries.length == 0 ? " []" : "\n") + String.join("", entries));
  }

  private static String entry(String name, String key, String more) {
    return "  - {name: %s, sha256: \"%s\", group: %s-group%s}%n"
        .formatted(name, GatewayKey.sha256(key), name, more);
  }

  private RunningContainer start(Login login, List<String> proxies, IdentitySource... order)
      throws Exception {
    if (!Files.exists(keyFile())) {
      writeKeys(entry("alice", ALICES_KEY, ""));
    }
    IdentityRules rules =
        new IdentityRules(
            List.of(order),
            "customer",
            "X-Remote-User",
            "X-Remote-Groups",
            proxies.stream().map(AddressBlock::parse).toList(),
            1,
            Set.of("staff", "admin"));
    Identification identification =
        new Identification(
            rules,
            KeyFile.open(keyFile(), System::nanoTime, InstantSource.system()),
            request -> {
              String ticket = request.getHeader("X-Ticket");
              return ticket == null ? null : new Identity(ticket, Set.of("admin"));
            });
    RunningContainer container =
        ApplicationWithLogin.start(
            kind,
            login,
            new WhoServlet(identification, new CrossSite(Set.of(LISTED), false)),
            new EnterServlet());
    open.add(container);
    return container;
  }

  // ---- the client

  /** A browser, as far as cookies go. */
  private static final class Browser {
    private final HttpClient http =
        HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build();
    private final List<String> cookies = new ArrayList<>();
    private final int port;

    Browser(RunningContainer container) {
      port = container.port();
    }

    HttpResponse<String> send(String method, String path, String body, String... headers)
        throws IOException, InterruptedException {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
              .timeout(Duration.ofSeconds(20))
              .method(method, HttpRequest.BodyPublishers.ofString(body));
      if (headers.length > 0) {
        request.headers(headers);
      }
      if (!cookies.isEmpty()) {
        request.header("Cookie", String.join("; ", cookies));
      }
      HttpResponse<String> response =
          http.send(request.build(), HttpResponse.BodyHandlers.ofString());
      for (String cookie : response.headers().allValues("Set-Cookie")) {
        String pair = cookie.split(";", -1)[0];
        String name = pair.substring(0, pair.indexOf('=') + 1);
        cookies.removeIf(old -> old.startsWith(name)); // a login gives the session a new id
        cookies.add(pair);
      }
      return response;
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
      return send("GET", path, "");
    }

    HttpResponse<String> ask(String... headers) throws IOException, InterruptedException {
      String[] all = new String[headers.length + 2];
      System.arraycopy(headers, 0, all, 0, headers.length);
      all[headers.length] = "Content-Type";
      all[headers.length + 1] = "application/json";
      return send("POST", "/claude/v1/messages", "{}", all);
    }

    boolean hasCookie() {
      return !cookies.isEmpty();
    }
  }

  private static void assertUnauthenticated(HttpResponse<String> response) {
    assertThat(response.statusCode()).isEqualTo(401);
    assertThat(response.body())
        .contains("{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":");
  }

  private static String basic(String user, String password) {
    return "Basic "
        + Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
  }

  // ---- logins

  @Test
  void whoHasLoggedInByTheContainersFormIsKnownWithTheirRoles() throws Exception {
    RunningContainer container = start(Login.FORM, List.of(), IdentitySource.PRINCIPAL);
    Browser browser = new Browser(container);
    assertUnauthenticated(browser.ask());
    assertThat(browser.hasCookie()).as("a session was made").isFalse();

    browser.get("/private/page");
    HttpResponse<String> login =
        browser.send(
            "POST",
            "/j_security_check",
            "j_username=alice&j_password=wonder",
            "Content-Type",
            "application/x-www-form-urlencoded");
    assertThat(login.statusCode()).isIn(302, 303);
    assertThat(browser.get("/private/page").statusCode()).isEqualTo(200);

    HttpResponse<String> known = browser.ask();
    assertThat(known.body()).isEqualTo("PRINCIPAL alice [staff]");
    assertUnauthenticated(new Browser(container).ask());
  }

  @Test
  void aWrongPasswordInTheFormNamesNobody() throws Exception {
    RunningContainer container = start(Login.FORM, List.of(), IdentitySource.PRINCIPAL);
    Browser browser = new Browser(container);
    browser.get("/private/page");
    browser.send(
        "POST",
        "/j_security_check",
        "j_username=alice&j_password=wrong",
        "Content-Type",
        "application/x-www-form-urlencoded");
    assertUnauthenticated(browser.ask());
  }

  @Test
  void whoHasLoggedInByHttpBasicIsKnownAndTheSchemeIsNoKey() throws Exception {
    RunningContainer container =
        start(Login.BASIC, List.of(), IdentitySource.KEY, IdentitySource.PRINCIPAL);
    Browser browser = new Browser(container);
    assertThat(browser.ask("Authorization", basic("alice", "wonder")).body())
        .isEqualTo("PRINCIPAL alice [staff]");
    assertThat(new Browser(container).ask("Authorization", basic("bob", "builder")).body())
        .isEqualTo("PRINCIPAL bob []");
    assertThat(new Browser(container).ask("Authorization", basic("alice", "wrong")).statusCode())
        .isEqualTo(401);
  }

  @Test
  void whoHasEnteredTheApplicationIsKnownByTheSession() throws Exception {
    RunningContainer container =
        start(Login.FORM, List.of(), IdentitySource.PRINCIPAL, IdentitySource.SESSION);
    Browser browser = new Browser(container);
    assertUnauthenticated(browser.ask());
    assertThat(browser.hasCookie()).as("a session was made").isFalse();
    browser.get("/enter?as=customer-4711");
    assertThat(browser.hasCookie()).isTrue();
    assertThat(browser.ask().body()).isEqualTo("SESSION customer-4711 []");
  }

  // ---- headers, resolver, address

  @Test
  void aProxyThatIsListedTellsWho() throws Exception {
    RunningContainer container = start(Login.FORM, List.of("127.0.0.1"), IdentitySource.HEADER);
    Browser proxy = new Browser(container);
    assertThat(proxy.ask("X-Remote-User", "carl", "X-Remote-Groups", "guests,staff").body())
        .isEqualTo("HEADER carl [staff]");
    assertUnauthenticated(proxy.ask());
    assertUnauthenticated(proxy.ask("X-Remote-User", "carl", "X-Remote-User", "admin"));
    assertUnauthenticated(proxy.ask("X-Remote-User", "admin, carl"));
    try (RawClient raw = RawClient.connect(container.port())) {
      raw.post("/claude/v1/messages", "{}", "x-ReMOTE-user: J\u00c3\u00b6rg");
      assertThat(raw.reply().body()).isEqualTo("HEADER Jörg []");
    }
  }

  @Test
  void aForgedHeaderFromAnAddressThatIsNotListedIsIgnored() throws Exception {
    RunningContainer container =
        start(Login.FORM, List.of("10.0.0.0/8"), IdentitySource.HEADER, IdentitySource.KEY);
    Browser forger = new Browser(container);
    assertUnauthenticated(
        forger.ask("X-Remote-User", "forged-user", "X-Forwarded-For", "10.0.0.1"));
    assertThat(forger.ask("X-Remote-User", "forged-user", "x-api-key", ALICES_KEY).body())
        .isEqualTo("KEY key:alice [alice-group]");
  }

  @Test
  void theApplicationsResolverIsAskedAndTheAddressComesLast() throws Exception {
    RunningContainer container =
        start(
            Login.FORM,
            List.of("127.0.0.1"),
            IdentitySource.PRINCIPAL,
            IdentitySource.RESOLVER,
            IdentitySource.ADDRESS);
    Browser browser = new Browser(container);
    assertThat(browser.ask("X-Ticket", "dora").body()).isEqualTo("RESOLVER dora [admin]");
    assertThat(browser.ask().body()).isEqualTo("ADDRESS address:127.0.0.1 []");
    assertThat(browser.ask("X-Forwarded-For", "1.1.1.1, 2001:db8::7").body())
        .isEqualTo("ADDRESS address:2001:db8::/64 []");
  }

  // ---- keys

  @Test
  void aKeyIsTakenFromEitherHeaderAndTwoDifferentOnesAreRefused() throws Exception {
    writeKeys(entry("alice", ALICES_KEY, ""), entry("robot", ROBOTS_KEY, ""));
    Browser client =
        new Browser(start(Login.FORM, List.of(), IdentitySource.KEY, IdentitySource.ADDRESS));
    String known = "KEY key:alice [alice-group]";
    assertThat(client.ask("x-api-key", ALICES_KEY).body()).isEqualTo(known);
    assertThat(client.ask("Authorization", "Bearer " + ALICES_KEY).body()).isEqualTo(known);
    assertThat(client.ask("Authorization", "Bearer " + ALICES_KEY, "x-api-key", ALICES_KEY).body())
        .isEqualTo(known);
    HttpResponse<String> different =
        client.ask("Authorization", "Bearer " + ALICES_KEY, "x-api-key", ROBOTS_KEY);
    assertUnauthenticated(different);
    for (String wrong : List.of("hr_wrong", GatewayKey.create(new SecureRandom()), "sk-ant-x")) {
      HttpResponse<String> refused = client.ask("x-api-key", wrong);
      assertUnauthenticated(refused);
      assertThat(refused.body()).isEqualTo(different.body()).doesNotContain(wrong);
    }
  }

  @Test
  void expiryAndAddressesOfAKeyAreKept() throws Exception {
    writeKeys(
        entry("alice", ALICES_KEY, ", expires: 2020-01-01"),
        entry("robot", ROBOTS_KEY, ", addresses: [10.0.0.0/8]"));
    Browser client = new Browser(start(Login.FORM, List.of("127.0.0.1"), IdentitySource.KEY));
    assertUnauthenticated(client.ask("x-api-key", ALICES_KEY));
    assertUnauthenticated(client.ask("x-api-key", ROBOTS_KEY));
    assertThat(client.ask("x-api-key", ROBOTS_KEY, "X-Forwarded-For", "10.2.3.4").body())
        .isEqualTo("KEY key:robot [robot-group]");
    assertUnauthenticated(
        client.ask("x-api-key", ROBOTS_KEY, "X-Forwarded-For", "10.2.3.4, 198.51.100.7"));
  }

  @Test
  void aKeyThatIsTakenOutOfTheFileIsRefusedWithinSecondsAndTheOthersStay() throws Exception {
    writeKeys(entry("alice", ALICES_KEY, ""), entry("robot", ROBOTS_KEY, ""));
    Browser client = new Browser(start(Login.FORM, List.of(), IdentitySource.KEY));
    assertThat(client.ask("x-api-key", ALICES_KEY).statusCode()).isEqualTo(200);
    writeKeys(entry("robot", ROBOTS_KEY, ""));
    long revoked = System.nanoTime();
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .pollInterval(Duration.ofMillis(50))
        .until(() -> client.ask("x-api-key", ALICES_KEY).statusCode() == 401);
    System.out.printf(
        "%s: revoked key refused after %d ms%n", kind, (System.nanoTime() - revoked) / 1_000_000);
    assertThat(client.ask("x-api-key", ROBOTS_KEY).statusCode()).isEqualTo(200);
    writeKeys(entry("alice", ALICES_KEY, ""), entry("robot", ROBOTS_KEY, ""));
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .until(() -> client.ask("x-api-key", ALICES_KEY).statusCode() == 200);
  }

  // ---- other sites

  @Test
  void aPageOfAnotherSiteCannotCallInTheNameOfAVisitor() throws Exception {
    RunningContainer container =
        start(Login.FORM, List.of(), IdentitySource.KEY, IdentitySource.SESSION);
    Browser browser = new Browser(container);
    browser.get("/enter?as=carl");
    String own = "http://127.0.0.1:" + container.port();
    assertThat(browser.ask("Origin", own).statusCode()).isEqualTo(200);
    assertThat(browser.ask("Origin", own, "Sec-Fetch-Site", "same-origin").statusCode())
        .isEqualTo(200);
    assertThat(browser.ask("Sec-Fetch-Mode", "cors").statusCode()).isEqualTo(200);
    assertThat(browser.ask("Origin", "https://evil.example").statusCode()).isEqualTo(403);
    assertThat(browser.ask("Origin", "null").statusCode()).isEqualTo(403);
    assertThat(browser.ask("Sec-Fetch-Site", "cross-site").statusCode()).isEqualTo(403);
    HttpResponse<String> form =
        browser.send("POST", "/claude/v1/messages", "{}", "Content-Type", "text/plain");
    assertThat(form.statusCode()).isEqualTo(415);
    assertThat(browser.ask("Origin", "https://evil.example", "x-api-key", ALICES_KEY).statusCode())
        .isEqualTo(200);
  }

  @Test
  void aListedOriginMayCallWithItsVisitorsSessionAndReadRefusals() throws Exception {
    RunningContainer container = start(Login.FORM, List.of(), IdentitySource.SESSION);
    Browser browser = new Browser(container);
    HttpResponse<String> preflight =
        browser.send(
            "OPTIONS",
            "/claude/v1/messages",
            "",
            "Origin",
            LISTED,
            "Access-Control-Request-Method",
            "POST",
            "Access-Control-Request-Headers",
            "content-type");
    assertThat(preflight.statusCode()).isEqualTo(204);
    assertThat(preflight.headers().firstValue("Access-Control-Allow-Origin")).contains(LISTED);

    HttpResponse<String> refused = browser.ask("Origin", LISTED);
    assertUnauthenticated(refused);
    assertThat(refused.headers().firstValue("Access-Control-Allow-Origin")).contains(LISTED);
    browser.get("/enter?as=carl");
    HttpResponse<String> known = browser.ask("Origin", LISTED, "Sec-Fetch-Site", "cross-site");
    assertThat(known.body()).isEqualTo("SESSION carl []");
    assertThat(known.headers().firstValue("Vary")).contains("Origin");
  }
}
