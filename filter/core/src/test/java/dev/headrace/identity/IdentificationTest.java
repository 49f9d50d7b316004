package dev.headrace.identity;

import static dev.headrace.identity.TestKeys.ALICE;
import static dev.headrace.identity.TestKeys.BOB;
import static dev.headrace.identity.TestKeys.entry;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.config.AddressBlock;
import dev.headrace.config.IdentitySource;
import dev.headrace.identity.Identification.Known;
import dev.headrace.identity.Identification.Nobody;
import dev.headrace.identity.Identification.Refused;
import dev.headrace.spi.Identity;
import dev.headrace.spi.InvalidCredentialException;
import dev.headrace.spi.UserResolver;
import java.io.IOException;
import java.nio.file.Path;
import java.security.Principal;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class IdentificationTest {
  private static final String PROXY = "10.0.0.1";

  private final TestKeys.Time time = new TestKeys.Time();
  @TempDir private Path folder = Path.of("unused");

  @BeforeEach
  void quiet() {
    ((ch.qos.logback.classic.Logger) LoggerFactory.getLogger(Identification.class))
        .setLevel(ch.qos.logback.classic.Level.OFF);
  }

  private static IdentityRules rules(IdentitySource... order) {
    return new IdentityRules(
        List.of(order),
        "user",
        "X-User",
        "X-Groups",
        List.of(AddressBlock.parse(PROXY)),
        1,
        Set.of("staff", "admin"));
  }

  private Identification asking(IdentitySource... order) throws IOException {
    return asking(request -> null, order);
  }

  private Identification asking(UserResolver resolver, IdentitySource... order) throws IOException {
    Path file = folder.resolve("keys.yaml");
    TestKeys.write(file, entry("alice", ALICE, ""), entry("bob", BOB, ", expires: 2020-01-01"));
    return new Identification(rules(order), KeyFile.open(file, time, time), resolver);
  }

  private static Caller known(Identification identification, FakeRequest request) {
    Identification.Result result = identification.identify(request.request());
    assertThat(result).isInstanceOf(Known.class);
    return ((Known) result).caller();
  }

  private static void assertNobody(Identification identification, FakeRequest request) {
    assertThat(identification.identify(request.request())).isInstanceOf(Nobody.class);
  }

  private static String refused(Identification identification, FakeRequest request) {
    Identification.Result result = identification.identify(request.request());
    assertThat(result).isInstanceOf(Refused.class);
    Refused refused = (Refused) result;
    assertThat(refused.error().status()).isEqualTo(401);
    assertThat(refused.error().type()).isEqualTo("authentication_error");
    assertThat(refused.error().message()).startsWith("The credential of this request is not valid");
    return refused.reason();
  }

  @Test
  void theFirstSourceThatKnowsSomebodyDecides() throws IOException {
    Identification identification =
        asking(IdentitySource.PRINCIPAL, IdentitySource.KEY, IdentitySource.ADDRESS);
    FakeRequest request = FakeRequest.post();
    assertThat(known(identification, request).user()).isEqualTo("address:198.51.100.7");
    request.header("x-api-key", ALICE);
    assertThat(known(identification, request).user()).isEqualTo("key:alice");
    request.login("carl", "staff", "other");
    Caller caller = known(identification, request);
    assertThat(caller.user()).isEqualTo("carl");
    assertThat(caller.source()).isEqualTo(IdentitySource.PRINCIPAL);
    assertThat(caller.hasRole("staff")).isTrue();
    assertThat(caller.hasRole("admin")).isFalse();
    assertThat(caller.roles()).containsExactly("staff");
  }

  @Test
  void aLoginMakesAStaleKeyHarmlessOnlyIfItComesFirst() throws IOException {
    FakeRequest request = FakeRequest.post().login("carl").header("x-api-key", BOB);
    assertThat(known(asking(IdentitySource.PRINCIPAL, IdentitySource.KEY), request).user())
        .isEqualTo("carl");
    assertThat(refused(asking(IdentitySource.KEY, IdentitySource.PRINCIPAL), request))
        .isEqualTo("the gateway key bob, which has expired");
  }

  @Test
  void nobodyIsToldWhatWasLookedForAndNothingElse() throws IOException {
    Identification identification =
        asking(IdentitySource.PRINCIPAL, IdentitySource.SESSION, IdentitySource.KEY);
    Identification.Result result = identification.identify(FakeRequest.post().request());
    assertThat(result).isInstanceOf(Nobody.class);
    assertThat(((Nobody) result).error().status()).isEqualTo(401);
    assertThat(((Nobody) result).error().type()).isEqualTo("authentication_error");
    assertThat(((Nobody) result).error().message())
        .isEqualTo(
            "Nobody is known behind this request. Looked for: a login of the application; a"
                + " session in which somebody has logged in; a gateway key in Authorization:"
                + " Bearer or x-api-key.");
  }

  // ---- keys

  @Test
  void aKeyIsTakenFromEitherHeaderAndFromBothIfItIsTheSame() throws IOException {
    Identification identification = asking(IdentitySource.KEY);
    for (FakeRequest request :
        List.of(
            FakeRequest.post().header("x-api-key", ALICE),
            FakeRequest.post().header("Authorization", "Bearer " + ALICE),
            FakeRequest.post().header("authorization", "bearer   " + ALICE + " "),
            FakeRequest.post()
                .header("Authorization", "Bearer " + ALICE)
                .header("X-Api-Key", ALICE),
            FakeRequest.post()
                .header("Authorization", "Basic YWxpY2U6c2VjcmV0")
                .header("X-Api-Key", ALICE))) {
      Caller caller = known(identification, request);
      assertThat(caller.user()).isEqualTo("key:alice");
      assertThat(caller.source()).isEqualTo(IdentitySource.KEY);
      assertThat(caller.hasRole("alice-group")).isTrue();
    }
  }

  @Test
  void twoDifferentKeysAreRefusedAlsoIfBothOrOneAreGood() throws IOException {
    Identification identification = asking(IdentitySource.KEY, IdentitySource.ADDRESS);
    for (String other : List.of(BOB, "x", "", ALICE + "x")) {
      assertThat(
              refused(
                  identification,
                  FakeRequest.post()
                      .header("Authorization", "Bearer " + ALICE)
                      .header("x-api-key", other)))
          .isEqualTo("two different gateway keys");
      refused(
          identification, FakeRequest.post().header("x-api-key", ALICE).header("x-api-key", other));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Bearer", "Bearer ", "Bearer sk-ant-api03-xyz", "Bearer a b"})
  void aWrongKeyDoesNotMakeAnAnonymousVisitor(String authorization) throws IOException {
    Identification identification = asking(IdentitySource.KEY, IdentitySource.ADDRESS);
    FakeRequest request =
        authorization.isEmpty()
            ? FakeRequest.post().header("x-api-key", "")
            : FakeRequest.post().header("Authorization", authorization);
    assertThat(refused(identification, request)).doesNotContain("sk-ant");
  }

  @Test
  void anotherSchemeOfAuthorizationIsNoKey() throws IOException {
    Identification identification = asking(IdentitySource.KEY);
    assertNobody(identification, FakeRequest.post().header("Authorization", "Basic YTpi"));
    assertNobody(identification, FakeRequest.post().header("Authorization", "Bearerer x"));
  }

  @Test
  void unknownExpiredAndMisplacedKeysGetTheSameAnswer() throws IOException {
    Identification identification = asking(IdentitySource.KEY);
    refused(identification, FakeRequest.post().header("x-api-key", BOB));
    refused(identification, FakeRequest.post().header("x-api-key", "hr_nonsense"));
    refused(identification, FakeRequest.post().header("x-api-key", "x".repeat(100_000)));
  }

  // ---- session

  @Test
  void aSessionNamesItsUserByTextPrincipalOrToString() throws IOException {
    Identification identification = asking(IdentitySource.SESSION);
    Principal principal = () -> "carl";
    record Account(String name) {
      @Override
      public String toString() {
        return name;
      }
    }
    for (Object value : List.of("carl", principal, new Account("carl"))) {
      Caller caller = known(identification, FakeRequest.post().session("user", value));
      assertThat(caller.user()).isEqualTo("carl");
      assertThat(caller.source()).isEqualTo(IdentitySource.SESSION);
    }
    assertThat(known(identification, FakeRequest.post().session("user", 4711L)).user())
        .isEqualTo("4711");
  }

  @Test
  void noSessionIsMadeAndAnEmptyOrEndedOneNamesNobody() throws IOException {
    Identification identification = asking(IdentitySource.SESSION);
    assertNobody(identification, FakeRequest.post()); // fails if it were to make a session
    assertNobody(identification, FakeRequest.post().session("other", "carl"));
    assertNobody(identification, FakeRequest.post().session("user", " "));
    assertNobody(identification, FakeRequest.post().endedSession());
  }

  @Test
  void anObjectWithoutANameOfItsOwnIsNobodyInsteadOfANewUserAfterEachLogin() throws IOException {
    Identification identification = asking(IdentitySource.SESSION);
    assertNobody(identification, FakeRequest.post().session("user", new Object()));
  }

  // ---- header

  @Test
  void theHeaderCountsFromAListedProxyAlone() throws IOException {
    Identification identification = asking(IdentitySource.HEADER, IdentitySource.ADDRESS);
    FakeRequest request =
        FakeRequest.post().header("x-user", "carl").header("X-Groups", "staff, guests,admin ");
    assertThat(known(identification, request).user()).isEqualTo("address:198.51.100.7");
    Caller caller = known(identification, request.from("::ffff:" + PROXY));
    assertThat(caller.user()).isEqualTo("carl");
    assertThat(caller.source()).isEqualTo(IdentitySource.HEADER);
    assertThat(caller.roles()).containsExactlyInAnyOrder("staff", "admin");
  }

  /** X-Forwarded-For is the client's word and never makes it a proxy. */
  @Test
  void aForgedHeaderIsIgnoredWhateverStandsInXForwardedFor() throws IOException {
    Identification identification = asking(IdentitySource.HEADER);
    assertNobody(
        identification,
        FakeRequest.post().header("X-User", "carl").header("X-Forwarded-For", PROXY));
    assertNobody(identification, FakeRequest.post().header("X-User", "carl").from(null));
  }

  @Test
  void twoIdentitiesFromAProxyAreRefused() throws IOException {
    Identification identification = asking(IdentitySource.HEADER, IdentitySource.ADDRESS);
    FakeRequest twice = FakeRequest.post().header("X-User", "carl").header("X-User", "carl");
    FakeRequest list = FakeRequest.post().header("X-User", "admin, carl");
    refused(identification, twice.from(PROXY));
    refused(identification, list.from(PROXY));
    FakeRequest groups =
        FakeRequest.post()
            .header("X-User", "carl")
            .header("X-Groups", "admin")
            .header("X-Groups", "guests");
    refused(identification, groups.from(PROXY));
  }

  @Test
  void whatAProxySendsForNobodyIsNobody() throws IOException {
    Identification identification = asking(IdentitySource.HEADER);
    assertNobody(identification, FakeRequest.post().from(PROXY));
    assertNobody(identification, FakeRequest.post().from(PROXY).header("X-User", " "));
    assertNobody(identification, FakeRequest.post().from(PROXY).header("X-User", "(null)"));
  }

  @Test
  void aNameInUtf8IsReadAsSuch() throws IOException {
    Identification identification = asking(IdentitySource.HEADER);
    String asTheContainerReadsIt = new String("Jörg李".getBytes(UTF_8), ISO_8859_1);
    FakeRequest request = FakeRequest.post().from(PROXY).header("X-User", asTheContainerReadsIt);
    assertThat(known(identification, request).user()).isEqualTo("Jörg李");
    FakeRequest latin1 = FakeRequest.post().from(PROXY).header("X-User", "Jörg");
    assertThat(known(identification, latin1).user()).isEqualTo("Jörg");
  }

  // ---- resolver and address

  @Test
  void theResolverOfTheApplicationTellsWho() throws IOException {
    UserResolver resolver =
        request ->
            "t".equals(request.getHeader("X-Ticket"))
                ? new Identity("carl", Set.of("admin", "other"))
                : null;
    Identification identification = asking(resolver, IdentitySource.RESOLVER);
    Caller caller = known(identification, FakeRequest.post().header("X-Ticket", "t"));
    assertThat(caller.user()).isEqualTo("carl");
    assertThat(caller.source()).isEqualTo(IdentitySource.RESOLVER);
    assertThat(caller.roles()).containsExactly("admin");
    assertNobody(identification, FakeRequest.post());
  }

  @Test
  void theResolverCanRefuseAndItsFailureOpensNothing() throws IOException {
    UserResolver refusing =
        request -> {
          throw new InvalidCredentialException("expired ticket");
        };
    assertThat(
            refused(
                asking(refusing, IdentitySource.RESOLVER, IdentitySource.ADDRESS),
                FakeRequest.post()))
        .isEqualTo("the application's resolver: expired ticket");
    UserResolver failing =
        request -> {
          throw new IllegalStateException("directory down");
        };
    Identification.Result result =
        asking(failing, IdentitySource.RESOLVER, IdentitySource.ADDRESS)
            .identify(FakeRequest.post().request());
    assertThat(result).isInstanceOf(Refused.class);
    assertThat(((Refused) result).error().status()).isEqualTo(500);
    assertThat(((Refused) result).error().message()).doesNotContain("directory");
  }

  @Test
  void behindAProxyTheAddressIsTheClients() throws IOException {
    Identification identification = asking(IdentitySource.ADDRESS);
    FakeRequest request =
        FakeRequest.post().from(PROXY).header("X-Forwarded-For", "1.1.1.1, 203.0.113.9");
    assertThat(known(identification, request).user()).isEqualTo("address:203.0.113.9");
    assertThat(identification.clientAddress(request.request())).isEqualTo("203.0.113.9");
    assertNobody(identification, FakeRequest.post().from(null));
  }

  @Test
  void namesOfTheApplicationDoNotReachIntoThoseOfKeys() throws IOException {
    Identification identification = asking(IdentitySource.PRINCIPAL);
    assertThat(known(identification, FakeRequest.post().login("key:alice")).user())
        .isEqualTo("user:key:alice");
    assertThat(known(identification, FakeRequest.post().login("a\nb")).user()).doesNotContain("\n");
    assertThat(known(identification, FakeRequest.post().login("anonymous:")).user())
        .isEqualTo("user:anonymous:");
  }

  /** So that limits and records do not depend on whether a gateway asks for them. */
  @Test
  void theContainersLoginHasTheSameNameWhereNoSourceIsAsked() throws IOException {
    Identification identification = asking(IdentitySource.PRINCIPAL);
    for (String name : List.of("alice", "key:alice", " a\nb", "x".repeat(300))) {
      FakeRequest request = FakeRequest.post().login(name);
      assertThat(Identification.login(request.request()))
          .isEqualTo(known(identification, request).user());
    }
    for (String remoteUser : new String[] {null, "other"}) { // a filter knows but the principal
      FakeRequest request = FakeRequest.post().login("alice").remoteUser(remoteUser);
      assertThat(Identification.login(request.request()))
          .isEqualTo(known(identification, request).user())
          .contains("alice");
    }
    assertThat(Identification.login(FakeRequest.post().request())).isNull();
    assertThat(Identification.login(FakeRequest.post().login(" ").request())).isNull();
  }

  @Test
  void rulesThatDoNotFitEachOtherAreRefused() {
    assertThatThrownBy(() -> rules(IdentitySource.ADDRESS, IdentitySource.KEY))
        .hasMessageContaining("no source behind it");
    assertThatThrownBy(() -> rules(IdentitySource.KEY, IdentitySource.KEY))
        .hasMessageContaining("twice");
    assertThatThrownBy(
            () ->
                new IdentityRules(
                    List.of(IdentitySource.HEADER), null, "X-User", null, List.of(), 0, Set.of()))
        .hasMessageContaining("addresses of the proxies");
    assertThatThrownBy(() -> new Identification(rules(IdentitySource.KEY), null, null))
        .hasMessageContaining("key file");
    assertThatThrownBy(() -> new Identification(rules(IdentitySource.RESOLVER), null, null))
        .hasMessageContaining("no resolver");
  }
}
