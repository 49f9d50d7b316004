package dev.headrace.config;

import static dev.headrace.config.SampleSettings.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsReaderTest {
  private static final String KEY = "upstream: {api-key: k}\n";

  @Test
  void emptyFileGivesAllDefaults() {
    GatewaySettingsBuilder code = GatewaySettings.builder().upstreamApiKey(Secret.of("k"));
    for (String empty : List.of("", "\n", "# only a comment\n", "---\n", "upstream:\n")) {
      LoadedSettings loaded = SettingsReader.read(empty, "headrace.yaml", NOTHING, code);
      assertThat(loaded.settings()).isEqualTo(code.build());
      assertThat(loaded.origins()).isEqualTo(Map.of("upstream.api-key", "code"));
    }
  }

  @Test
  void environmentIsStrongerThanFileIsStrongerThanCodeIsStrongerThanDefault() {
    GatewaySettingsBuilder code =
        GatewaySettings.builder()
            .upstreamApiKey(Secret.of("k"))
            .timeoutsConnect(Duration.ofSeconds(1))
            .timeoutsIdle(Duration.ofSeconds(1))
            .timeoutsSlowClient(Duration.ofSeconds(1));
    LoadedSettings loaded =
        SettingsReader.read(
            """
            timeouts:
              connect: 2s
              idle: 2s
            """,
            "headrace.yaml",
            SampleSettings.variables("HEADRACE_TIMEOUTS_CONNECT", "3s"),
            code);
    GatewaySettings.Timeouts timeouts = loaded.settings().timeouts();
    assertThat(timeouts.connect()).isEqualTo(Duration.ofSeconds(3));
    assertThat(timeouts.idle()).isEqualTo(Duration.ofSeconds(2));
    assertThat(timeouts.slowClient()).isEqualTo(Duration.ofSeconds(1));
    assertThat(timeouts.firstEvent()).isEqualTo(Duration.ofMinutes(2));
    assertThat(loaded.origins())
        .containsEntry("timeouts.connect", "HEADRACE_TIMEOUTS_CONNECT")
        .containsEntry("timeouts.idle", "headrace.yaml:3")
        .containsEntry("timeouts.slow-client", "code")
        .doesNotContainKey("timeouts.first-event");
    assertThat(code.build().timeouts().connect()).isEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void allProblemsOfAFileAreReportedTogether() {
    String yaml =
        """
        enabled: tru
        mont: /x
        upstream.base-url: https://example.com
        upstream:
          base-url: https://example.com/v1/
          api-key: k
          api-key: l
          forward-headers: [x-tenant, Cookie]
          max-connections: 0
        timeout:
          idle: 3s
        timeouts:
          idel: 4s
          connection-ttl: 5s
          idle: 60
          slow-client: 0s
          total: 1s
          connect:
        buffers:
          hard: 100KiB
          hold: [1KiB]
        request: 5
        shutdown:
          drain: ${DRAIN}
        """;
    assertThat(failure(yaml, SampleSettings.variables("HEADRACE_BUFFERS_SOFT", "0B")))
        .hasMessage(
            """
            18 problems in the settings from headrace.yaml:
              - upstream.api-key is set twice; first on line 6. (headrace.yaml:7)
              - enabled: tru (expected: true or false) at headrace.yaml:1
              - mont is not a setting. Did you mean mount? (headrace.yaml:2)
              - upstream.base-url is not a setting here. Write base-url below upstream. (headrace.yaml:3)
              - upstream.base-url: https://example.com/v1/ (expected: the URL without /v1, because the gateway adds /v1/messages and its like itself) at headrace.yaml:5
              - upstream.forward-headers: Cookie is never forwarded: it carries the client's session with your application (expected: another header, or none) at headrace.yaml:8
              - upstream.max-connections: 0 (expected: 1 to 100000) at headrace.yaml:9
              - timeout is not a setting. Did you mean timeouts? (headrace.yaml:10)
              - timeouts.idel is not a setting. Did you mean timeouts.idle? (headrace.yaml:13)
              - timeouts.connection-ttl is not a setting. Did you mean upstream.connection-ttl? (headrace.yaml:14)
              - timeouts.idle: 60 has no unit (expected: a duration with its unit, such as 500ms, 60s, 5m or 1h) at headrace.yaml:15
              - timeouts.slow-client: 0s (expected: above 0 and up to 365d, such as 60s) at headrace.yaml:16
              - timeouts.connect: no value (expected: a duration with its unit, such as 500ms, 60s, 5m or 1h) at headrace.yaml:18
              - buffers.hold: a list (expected: a size with its unit, such as 4096B, 64KiB or 8MiB) at headrace.yaml:21
              - request: a single value (expected: settings such as max-body below it) at headrace.yaml:22
              - shutdown.drain: ${DRAIN} has no value (expected: an environment variable or system property of that name) at headrace.yaml:24
              - buffers.soft: 0B (expected: 1KiB to 1GiB) in the environment variable HEADRACE_BUFFERS_SOFT
              - timeouts.total: 1s (expected: 0 for no limit, or at least timeouts.first-event, which is 120s) at headrace.yaml:17\
            """);
  }

  @Test
  void settingsThatDoNotFitEachOtherAreReportedWhereTheOneToBlameStands() {
    assertProblems(
        KEY + "buffers:\n  hard: 100KiB\n",
        "buffers.hard: 100KiB (expected: at least buffers.soft, which is 256KiB) at"
            + " headrace.yaml:3");
    assertProblems(
        KEY + "buffers:\n  soft: 9MiB\n",
        "buffers.hard: 8MiB (expected: at least buffers.soft, which is 9MiB) at headrace.yaml:3");
    assertProblems(
        "upstream:\n  api-key: k\n  api-key-file: /absent/key\n",
        "upstream.api-key and upstream.api-key-file are both set (expected: one of them) at"
            + " headrace.yaml:3",
        "upstream.api-key-file: /absent/key does not exist (expected: a readable file that contains"
            + " the API key and nothing else) at headrace.yaml:3");
  }

  @Test
  void missingApiKeyIsExplained() {
    assertProblems(
        "",
        "No API key for the upstream: set upstream.api-key, normally to ${ANTHROPIC_API_KEY}, or"
            + " upstream.api-key-file");
    assertProblems(
        "upstream: {api-key: '${ANTHROPIC_API_KEY}'}",
        "upstream.api-key: ${ANTHROPIC_API_KEY} has no value (expected: an environment variable or"
            + " system property of that name) at headrace.yaml:1");
    assertProblems(
        "upstream: {io-threads: 65}",
        "upstream.io-threads: 65 (expected: 0 to 64) at headrace.yaml:1",
        "No API key for the upstream: set upstream.api-key, normally to ${ANTHROPIC_API_KEY}, or"
            + " upstream.api-key-file");
  }

  @Test
  void gatewayThatIsSwitchedOffNeedsNeitherKeyNorVariables() {
    LoadedSettings loaded =
        read("enabled: false\nupstream:\n  api-key: ${ANTHROPIC_API_KEY}\n", NOTHING);
    assertThat(loaded.settings().enabled()).isFalse();
    assertThat(loaded.warnings())
        .containsExactly(
            "The gateway is switched off; otherwise: upstream.api-key: ${ANTHROPIC_API_KEY} has no"
                + " value (expected: an environment variable or system property of that name) at"
                + " headrace.yaml:3");
  }

  @Test
  void gatewayThatIsSwitchedOffStillNeedsValuesThatFit() {
    assertProblems("enabled: false\nmount: x\n", mountProblem("x", 2));
  }

  @ParameterizedTest
  @ValueSource(strings = {"yes", "no", "on", "off"})
  void wordsOfYaml11AreNoBooleans(String word) {
    assertProblems(
        KEY + "enabled: " + word,
        "enabled: "
            + word
            + " (expected: true or false; yes, no, on and off are plain words in YAML 1.2) at"
            + " headrace.yaml:2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"tru", "TRUE", "True", "1", "t", "\"\"", "FALSE", "null ?"})
  void nothingElseIsABoolean(String word) {
    assertThat(failure(KEY + "enabled: " + word, NOTHING).problems())
        .singleElement()
        .asString()
        .endsWith("(expected: true or false) at headrace.yaml:2");
  }

  @Test
  void scalarsOfEveryStyleAreRead() {
    GatewaySettings settings =
        read(
                """
                enabled: "true"
                mount: '/a'
                upstream:
                  api-key: >-
                    k
                  io-threads: "2"
                  max-connections: 3
                  forward-headers:
                  - X-One
                  - "x-two"
                request: {max-body: 1MiB, extra-endpoints: [GET /v1/files]}
                """,
                NOTHING)
            .settings();
    assertThat(settings.mount()).isEqualTo("/a");
    assertThat(settings.upstream().apiKey()).isEqualTo(Secret.of("k"));
    assertThat(settings.upstream().ioThreads()).isEqualTo(2);
    assertThat(settings.upstream().forwardHeaders()).containsExactly("x-one", "x-two");
    assertThat(settings.request().extraEndpoints())
        .containsExactly(new EndpointTemplate("GET", "/v1/files"));
  }

  @Test
  void numbersInOtherNotationsAreRefused() {
    for (String number : List.of("010", "0x10", "1_000", "1e3", "+5", "5.0", "99999999999")) {
      assertProblems(
          "upstream: {api-key: k, io-threads: " + number + "}",
          "upstream.io-threads: "
              + number
              + " (expected: a whole number without a unit, such as 100) at headrace.yaml:1");
    }
  }

  @Test
  void syntaxErrorNamesTheLineAndWhatIsBeforeItIsStillChecked() {
    assertProblems(
        "mount: x\nupstream:\n  api-key: \"abc\n",
        "YAML syntax: found unexpected end of stream, while scanning a quoted scalar, which began"
            + " on line 3. (headrace.yaml:4)",
        mountProblem("x", 1));
    assertProblems(
        "a: [1\n",
        "YAML syntax: expected ',' or ']', but got <stream end>, while parsing a flow sequence,"
            + " which began on line 1. (headrace.yaml:2)");
    assertProblems(
        "\tmount: /a\n",
        "YAML syntax: found character '\\t(TAB)' that cannot start any token. (Do not use"
            + " \\t(TAB) for indentation), while scanning for the next token. (headrace.yaml:1)");
  }

  @Test
  void rootMustBeAMapping() {
    assertProblems(
        "- mount\n",
        "headrace.yaml: a list (expected: settings such as mount: /claude) at headrace.yaml:1");
    assertProblems(
        "mount",
        "headrace.yaml: a single value (expected: settings such as mount: /claude) at"
            + " headrace.yaml:1");
  }

  @Test
  void referencesTagsAndSecondDocumentsAreRefused() {
    assertProblems(
        KEY + "timeouts: &t {idle: 3s}\n",
        "a YAML anchor (&name) (expected: the value alone) at headrace.yaml:2");
    assertProblems(
        KEY + "mount: *m\n",
        "a YAML alias (*name) (expected: the value written out) at headrace.yaml:2");
    assertProblems(
        KEY + "mount: !!java/object /a\n",
        "a YAML tag (!name) (expected: the value alone) at headrace.yaml:2");
    assertProblems(
        KEY + "---\nmount: /a\n",
        "a second YAML document (expected: one document, without a --- between) at"
            + " headrace.yaml:3");
  }

  @Test
  void aliasBombIsRefusedAtItsFirstAnchor() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
    for (int i = 1; i < 40; i++) {
      bomb.append("a%d: &a%d [*a%d, *a%d]\n".formatted(i, i, i - 1, i - 1));
    }
    assertThat(failure(bomb.toString(), NOTHING).problems().get(0))
        .isEqualTo("a YAML anchor (&name) (expected: the value alone) at headrace.yaml:1");
  }

  @Test
  void deepNestingIsRefused() {
    assertThat(failure("a: " + "[".repeat(100_000), NOTHING).problems().get(0))
        .isEqualTo("more than 8 levels of nesting at headrace.yaml:1");
  }

  @Test
  void controlCharactersAreRefused() {
    assertProblems(
        "\n\nmount: /a\u0007\n",
        "the control character U+0007 (expected: text) at headrace.yaml:3");
  }

  @Test
  void thousandsOfProblemsAreCutShort() {
    StringBuilder yaml = new StringBuilder(KEY);
    for (int i = 0; i < 5_000; i++) {
      yaml.append("zzz").append(i).append(": 1\n");
    }
    SettingsException failure = failure(yaml.toString(), NOTHING);
    assertThat(failure.problems()).hasSize(5_000);
    assertThat(failure).hasMessageEndingWith("\n  - and 4950 more");
    assertThat(String.valueOf(failure.getMessage()).lines()).hasSize(52);
  }

  @Test
  void placeholdersAreFilledFromVariablesThenPropertiesThenTheirDefault() {
    Environment environment =
        Environment.of(
            Map.of("BOTH", "/variable", "EMPTY", "", "HOST", "api.example.com"),
            Map.of("BOTH", "/property", "some.property", "7s"));
    GatewaySettings settings =
        read(
                """
                mount: ${BOTH}
                upstream:
                  api-key: a$${b}${ABSENT:-}c
                  base-url: https://${HOST}:${PORT:-8443}/${EMPTY:-x}
                  forward-headers: ["${HEADER:-x-tenant}"]
                timeouts:
                  idle: ${some.property}
                """,
                environment)
            .settings();
    assertThat(settings.mount()).isEqualTo("/variable");
    assertThat(settings.upstream().apiKey()).isEqualTo(Secret.of("a${b}c"));
    assertThat(settings.upstream().baseUrl())
        .isEqualTo(URI.create("https://api.example.com:8443/x"));
    assertThat(settings.upstream().forwardHeaders()).containsExactly("x-tenant");
    assertThat(settings.timeouts().idle()).isEqualTo(Duration.ofSeconds(7));
  }

  @Test
  void contentOfAVariableIsNotSearchedForPlaceholders() {
    Environment environment = SampleSettings.variables("A", "${B}", "B", "/b");
    assertThat(failure(KEY + "mount: ${A}", environment).problems())
        .containsExactly(mountProblem("${B}", 2));
  }

  @Test
  void malformedPlaceholderIsExplained() {
    for (String text : List.of("${", "/${A", "${}", "${A B}", "${A:x}")) {
      assertThat(failure(KEY + "mount: \"" + text + "\"", NOTHING).problems())
          .singleElement()
          .asString()
          .endsWith(
              "(expected: a placeholder such as ${NAME} or ${NAME:-default}; write $${ for a plain"
                  + " ${) at headrace.yaml:2");
    }
  }

  @Test
  void badVariableIsNamed() {
    Environment environment =
        SampleSettings.variables(
            "HEADRACE_TIMEOUTS_IDLE", "60",
            "HEADRACE_UPSTREAM_FORWARD_HEADERS", "x-tenant, host",
            "HEADRACE_REQUEST_EXTRA_ENDPOINTS", "PUT /v1/files",
            "HEADRACE_MOUNT", "");
    assertThat(failure(KEY, environment).problems())
        .containsExactly(
            "mount: \"\" (expected: / or a path such as /claude: no slash at the end; letters,"
                + " digits, dot, dash, underscore and tilde only) in the environment variable"
                + " HEADRACE_MOUNT",
            "upstream.forward-headers: \"x-tenant, host\" is never forwarded: it belongs to one"
                + " connection, and the gateway writes its own (expected: another header, or none)"
                + " in the environment variable HEADRACE_UPSTREAM_FORWARD_HEADERS",
            "request.extra-endpoints: \"PUT /v1/files\" (expected: a method and a path such as GET"
                + " /v1/files/{id}; methods are GET, POST and DELETE, the path begins with /v1/, a"
                + " segment consists of letters, digits, dot, dash and underscore or is a {name})"
                + " in the environment variable HEADRACE_REQUEST_EXTRA_ENDPOINTS",
            "timeouts.idle: 60 has no unit (expected: a duration with its unit, such as 500ms, 60s,"
                + " 5m or 1h) in the environment variable HEADRACE_TIMEOUTS_IDLE");
  }

  @Test
  void misspeltVariableIsAWarningAndAVariableOfAnotherProgramIsNot() {
    LoadedSettings loaded =
        read(
            KEY,
            SampleSettings.variables(
                "HEADRACE_UPSTREAM_BASEURL", "x",
                "HEADRACE_CONFG", "x",
                "HEADRACE_CONFIG", "x",
                "HEADRACE_PORT", "tcp://10.0.0.1:80", // of a Kubernetes service
                "HEADRACE_DOCKER_IMAGE_TAG", "x",
                "PATH", "x"));
    assertThat(loaded.warnings())
        .containsExactly(
            "The environment variable HEADRACE_CONFG is not a setting and was ignored. Did you mean"
                + " HEADRACE_CONFIG?",
            "The environment variable HEADRACE_UPSTREAM_BASEURL is not a setting and was ignored."
                + " Did you mean HEADRACE_UPSTREAM_BASE_URL?");
  }

  @Test
  void suggestionIgnoresCaseAndSeparators() {
    assertProblems(
        KEY + "request: {maxBody: 1MiB, body_timeout: 1s}\n",
        "request.maxBody is not a setting. Did you mean request.max-body? (headrace.yaml:2)",
        "request.body_timeout is not a setting. Did you mean request.body-timeout?"
            + " (headrace.yaml:2)");
  }

  @Test
  void filesThatSettingsNameMustBeUsable(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("empty"), " \n");
    Files.writeString(folder.resolve("two"), "one\ntwo\n");
    Files.writeString(folder.resolve("large"), "x".repeat(20_000));
    assertKeyFileProblem(folder.resolve("absent"), "does not exist");
    assertKeyFileProblem(folder, "is a folder");
    assertKeyFileProblem(folder.resolve("empty"), "is empty");
    assertKeyFileProblem(
        folder.resolve("two"), "contains spaces, line breaks or characters that are not ASCII");
    assertKeyFileProblem(folder.resolve("large"), "is larger than 16KiB");
    Path device = Path.of("/dev/zero"); // it has no end, and a pipe is read once only
    assertKeyFileProblem(device, "is no plain file");
    assertProblems(
        "upstream: {api-key: k, ca-file: " + device + "}",
        "upstream.ca-file: /dev/zero is no plain file (expected: a readable PEM file with"
            + " certificates) at headrace.yaml:1");
    Path noCertificate = folder.resolve("two");
    assertProblems(
        "upstream: {api-key: k, ca-file: " + noCertificate + "}",
        "upstream.ca-file: "
            + Shown.text(noCertificate.toString())
            + " has no valid certificate (expected: a readable PEM file with certificates) at"
            + " headrace.yaml:1");
  }

  @Test
  void certificatesMayHaveCommentsBetweenThem(@TempDir Path folder) throws Exception {
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init((KeyStore) null);
    X509Certificate[] trusted =
        ((X509TrustManager) trust.getTrustManagers()[0]).getAcceptedIssuers();
    StringBuilder pem = new StringBuilder();
    for (X509Certificate certificate : List.of(trusted[0], trusted[1])) {
      pem.append("# a certificate of the company\n-----BEGIN CERTIFICATE-----\n")
          .append(Base64.getMimeEncoder().encodeToString(certificate.getEncoded()))
          .append("\n-----END CERTIFICATE-----\n");
    }
    Path file = Files.writeString(folder.resolve("ca.pem"), pem);
    GatewaySettings settings =
        read("upstream: {api-key: k, ca-file: " + file + "}", NOTHING).settings();
    assertThat(settings.upstream().caFile()).isEqualTo(file);
  }

  @Test
  void relativePathsStartAtTheFolderOfTheFile(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("anthropic.key"), "\n file-key \n");
    Path file = folder.resolve("headrace.yaml");
    Files.writeString(file, "upstream:\n  api-key-file: anthropic.key\n");
    LoadedSettings loaded = SettingsReader.read(file, NOTHING);
    assertThat(loaded.source()).isEqualTo(file.toString());
    assertThat(loaded.origins()).containsEntry("upstream.api-key-file", "headrace.yaml:2");
    assertThat(loaded.settings().upstream().apiKeyFile())
        .isEqualTo(folder.resolve("anthropic.key"));
    assertThat(loaded.settings().upstream().readApiKey()).isEqualTo(Secret.of("file-key"));
  }

  @Test
  void unusableFileIsNamed(@TempDir Path folder) throws IOException {
    Path latin1 = Files.write(folder.resolve("latin1"), new byte[] {'#', (byte) 0xe4});
    Path large = Files.writeString(folder.resolve("large"), "#".repeat(300_000));
    assertUnusable(folder.resolve("absent"), "does not exist");
    assertUnusable(folder, "is a folder");
    assertUnusable(latin1, "is not in UTF-8");
    assertUnusable(large, "is larger than 256KiB");
  }

  @Test
  void membersAreRead(@TempDir Path folder) throws IOException {
    Path secrets = Files.createDirectory(folder.resolve("secrets"));
    Files.writeString(secrets.resolve("b"), "key-b\n");
    Path file = folder.resolve("headrace.yaml");
    Files.writeString(
        file,
        """
        upstream:
          base-url: https://example.com/all
          selection: weighted
          members:
            - name: ${NAME:-main}
              api-key: ${KEY_A}
              weight: "${WEIGHT}"
            - base-url: https://${HOST}/b/
              api-key-file: secrets/b
            - {name: c.d-e_F, api-key: c}
        """);
    LoadedSettings loaded =
        SettingsReader.read(
            file,
            SampleSettings.variables("KEY_A", "key-a", "WEIGHT", "1000", "HOST", "b.example.com"));
    GatewaySettings.Upstream upstream = loaded.settings().upstream();
    assertThat(upstream.selection()).isEqualTo(GatewaySettings.Selection.WEIGHTED);
    assertThat(upstream.members())
        .containsExactly(
            new GatewaySettings.Member("main", null, Secret.of("key-a"), null, 1000),
            new GatewaySettings.Member(
                "member-2", URI.create("https://b.example.com/b"), null, secrets.resolve("b"), 1),
            new GatewaySettings.Member("c.d-e_F", null, Secret.of("c"), null, 1));
    assertThat(upstream.resolvedMembers().stream().map(upstream::readApiKey))
        .containsExactly(Secret.of("key-a"), Secret.of("key-b"), Secret.of("c"));
    assertThat(loaded.origins())
        .containsOnlyKeys("upstream.base-url", "upstream.selection", "upstream.members")
        .containsEntry("upstream.members", "headrace.yaml:5");
    assertThat(loaded.warnings()).isEmpty();
  }

  @Test
  void allProblemsOfMembersAreReportedTogether() {
    String yaml =
        """
        upstream:
          members:
            - name: a b
              base-ulr: https://example.com
              api-key: k
            - name: main
              base-url: https://me:pw@example.com
              weight: 0
              api-key: "k k"
              api-key-file: /absent
              region: eu
            - main
            - name: [main]
              weight: 2.5
              api-key:
            - name: main
              api-key: k
              api-key: l
            - name: main
              weight: ${ABSENT}
            -
            - name: last
              api-key: k
            - api-key: k
              name: last
        """;
    assertThat(failure(yaml, NOTHING))
        .hasMessage(
            """
            15 problems in the settings from headrace.yaml:
              - upstream.members[4].api-key is set twice; first on line 17. (headrace.yaml:18)
              - upstream.members[0].name: "a b" (expected: a name of letters, digits, dot, dash and underscore, at most 40 of them) at headrace.yaml:3
              - upstream.members[0].base-ulr is not a setting. Did you mean upstream.members[0].base-url? (headrace.yaml:4)
              - upstream.members[1].base-url: "https://****@example.com" (expected: a URL without user and password; the API key has a setting of its own) at headrace.yaml:7
              - upstream.members[1].weight: 0 (expected: 1 to 1000) at headrace.yaml:8
              - upstream.members[1].api-key: **** (expected: visible ASCII characters, without spaces and line breaks) at headrace.yaml:9
              - upstream.members[1].region is not a setting. Known here: name, base-url, api-key, api-key-file, weight. (headrace.yaml:11)
              - upstream.members[1].api-key and upstream.members[1].api-key-file are both set (expected: one of them) at headrace.yaml:10
              - upstream.members[2]: a single value (expected: a group of keys out of name, base-url, api-key, api-key-file, weight) at headrace.yaml:12
              - upstream.members[3].name: a list (expected: a name of letters, digits, dot, dash and underscore, at most 40 of them) at headrace.yaml:13
              - upstream.members[3].weight: 2.5 (expected: a whole number without a unit, such as 100) at headrace.yaml:14
              - upstream.members[3].api-key: no value (expected: text) at headrace.yaml:15
              - upstream.members[5].weight: ${ABSENT} has no value (expected: an environment variable or system property of that name) at headrace.yaml:20
              - upstream.members[6]: no value (expected: a group of keys out of name, base-url, api-key, api-key-file, weight) at headrace.yaml:21
              - upstream.members[8].name: last (expected: one that no other element of the list has) at headrace.yaml:25\
            """);
  }

  @Test
  void apiKeyThatIsEmptyIsCalledSo() {
    String empty =
        "api-key: the value is empty (expected: visible ASCII characters, without spaces and line"
            + " breaks) ";
    assertProblems("upstream: {api-key: ''}\n", "upstream." + empty + "at headrace.yaml:1");
    assertProblems(
        "upstream: {members: [{api-key: ''}]}\n",
        "upstream.members[0]." + empty + "at headrace.yaml:1");
    assertThat(
            failure(
                    "upstream: {api-key: '${ANTHROPIC_API_KEY}'}\n",
                    SampleSettings.variables("ANTHROPIC_API_KEY", ""))
                .problems())
        .containsExactly("upstream." + empty + "at headrace.yaml:1");
    assertThat(failure("", SampleSettings.variables("HEADRACE_UPSTREAM_API_KEY", "")).problems())
        .containsExactly(
            "upstream." + empty + "in the environment variable HEADRACE_UPSTREAM_API_KEY");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\t"})
  void emptyVariableDoesNotSwitchIdentityOff(String empty) {
    assertThat(
            failure(
                    KEY + "identity: {sources: [principal]}\n",
                    SampleSettings.variables("HEADRACE_IDENTITY_SOURCES", empty))
                .problems())
        .containsExactly(
            "identity.sources: the value is empty (expected: a list, each element principal or"
                + " session or header or key or resolver or address; leave the variable out to have"
                + " the file's value) in the environment variable HEADRACE_IDENTITY_SOURCES");
  }

  @Test
  void otherListsMayBeEmptyInAVariableAndSourcesInTheFile() {
    GatewaySettings settings =
        read(
                KEY + "identity: {sources: []}\n",
                SampleSettings.variables("HEADRACE_METRICS_ADDRESSES", ""))
            .settings();
    assertThat(settings.metrics().addresses()).isEmpty();
    assertThat(settings.identity().sources()).isEmpty();
  }

  @Test
  void listOfMembersMustBeOne() {
    assertProblems(
        "upstream:\n  members: main\n",
        "upstream.members: a single value (expected: a list, each element a group of keys out of"
            + " name, base-url, api-key, api-key-file, weight) at headrace.yaml:2");
    assertProblems(
        KEY + "retry: {members: []}\n",
        "retry.members is not a setting. Did you mean upstream.members? (headrace.yaml:2)");
    assertProblems(
        "upstream:\n  members:\n" + "    - {api-key: k}\n".repeat(21),
        "upstream.members: 21 members (expected: at most 20 members) at headrace.yaml:3");
    assertThat(
            read("upstream:\n  members:\n" + "    - {api-key: k}\n".repeat(20), NOTHING)
                .settings()
                .upstream()
                .members())
        .hasSize(20);
  }

  @Test
  void nameThatAMemberGotByItsNumberCountsToo() {
    assertProblems(
        "upstream:\n  members:\n    - {name: member-2, api-key: k}\n    - {api-key: k}\n",
        "upstream.members[1].name: member-2 (expected: one that no other element of the list"
            + " has) at headrace.yaml:4");
  }

  @Test
  void memberNeedsAKeyUnlessTheUpstreamHasOne() {
    String members =
        """
          members:
            - api-key: k
            - name: b
            - name: c
        """;
    assertProblems("upstream:\n" + members, noKey(1, 4), noKey(2, 5));
    assertProblems(
        "upstream:\n  io-threads: 65\n" + members, ioThreads(), noKey(1, 5), noKey(2, 6));
    assertThat(read("upstream:\n  api-key: k\n" + members, NOTHING).settings().upstream().members())
        .hasSize(3);
    GatewaySettingsBuilder code =
        GatewaySettings.builder().upstreamApiKeySource(() -> Secret.of("from-vault"));
    assertThat(
            SettingsReader.read("upstream:\n" + members, "headrace.yaml", NOTHING, code)
                .settings()
                .upstream()
                .members())
        .hasSize(3);
    assertThat(read("enabled: false\nupstream:\n" + members, NOTHING).warnings()).isEmpty();
  }

  @Test
  void missingKeyOfMembersDoesNotFollowFromABadOne() {
    assertProblems(
        "upstream:\n  api-key: ${ABSENT}\n  members:\n    - name: a\n",
        "upstream.api-key: ${ABSENT} has no value (expected: an environment variable or system"
            + " property of that name) at headrace.yaml:2");
    assertProblems(
        "upstream:\n  members:\n    - api-key: ${ABSENT}\n",
        "upstream.members[0].api-key: ${ABSENT} has no value (expected: an environment variable or"
            + " system property of that name) at headrace.yaml:3");
  }

  @Test
  void membersOfTheCodeAreNamedAsSuch() {
    GatewaySettingsBuilder code =
        GatewaySettings.builder()
            .upstreamMembers(List.of(new GatewaySettings.Member("a", null, null, null, 1)));
    SettingsException failure =
        catchThrowableOfType(
            SettingsException.class, () -> SettingsReader.read("", "headrace.yaml", NOTHING, code));
    assertThat(failure.problems())
        .containsExactly(
            "upstream.members[0]: no API key (expected: api-key or api-key-file, or for all members"
                + " upstream.api-key or upstream.api-key-file) in the code of the application");
    assertThat(
            SettingsReader.read(
                    "upstream: {members: [{api-key: k}]}", "headrace.yaml", NOTHING, code)
                .settings()
                .upstream()
                .members())
        .extracting(GatewaySettings.Member::name)
        .containsExactly("member-1");
  }

  @Test
  void keyFilesOfMembersMustBeUsable(@TempDir Path folder) throws IOException {
    Path two = Files.writeString(folder.resolve("two"), "one\ntwo\n");
    String yaml =
        """
        upstream:
          members:
            - api-key-file: /absent/key
            - name: b
              api-key-file: %s
        """
            .formatted(two);
    String expected = " (expected: a readable file that contains the API key and nothing else) at";
    String absent =
        "upstream.members[0].api-key-file: /absent/key does not exist"
            + expected
            + " headrace.yaml:3";
    String twoLines =
        "upstream.members[1].api-key-file: "
            + Shown.text(two.toString())
            + " contains spaces, line breaks or characters that are not ASCII"
            + expected
            + " headrace.yaml:5";
    assertProblems(yaml, absent, twoLines);
    LoadedSettings off = read("enabled: false\n" + yaml, NOTHING);
    assertThat(off.settings().upstream().members()).hasSize(2);
    assertThat(off.warnings())
        .hasSize(2)
        .element(0)
        .isEqualTo(
            "The gateway is switched off; otherwise: "
                + absent.replace("headrace.yaml:3", "headrace.yaml:4"));
  }

  @Test
  void gatewayThatIsSwitchedOffNeedsNoVariablesOfMembers() {
    LoadedSettings loaded =
        read("enabled: false\nupstream:\n  members:\n    - api-key: ${KEY_A}\n", NOTHING);
    assertThat(loaded.settings().upstream().members()).isEmpty();
    assertThat(loaded.warnings())
        .containsExactly(
            "The gateway is switched off; otherwise: upstream.members[0].api-key: ${KEY_A} has no"
                + " value (expected: an environment variable or system property of that name) at"
                + " headrace.yaml:4");
  }

  @Test
  void fallbacksAreRead() {
    LoadedSettings loaded =
        read(
            KEY
                + """
                retry:
                  fallbacks:
                    claude-opus-5-5: [claude-sonnet-5-5, "${SMALL:-claude-haiku-5-5}"]
                    us.anthropic/claude@1:0: # the name in another cloud
                      - claude-haiku-5-5
                """,
            NOTHING);
    assertThat(loaded.settings().retry().fallbacks())
        .containsExactly(
            Map.entry("claude-opus-5-5", List.of("claude-sonnet-5-5", "claude-haiku-5-5")),
            Map.entry("us.anthropic/claude@1:0", List.of("claude-haiku-5-5")));
    assertThat(loaded.origins()).containsEntry("retry.fallbacks", "headrace.yaml:4");
  }

  @Test
  void allProblemsOfFallbacksAreReportedTogether() {
    String yaml =
        KEY
            + """
            retry:
              fallbacks:
                claude a: [claude-b]
                claude-a: claude-b
                claude-b: []
                claude-c:
                claude-d: [claude-a, claude-d]
                claude-e:
                  - claude-a
                  - claude b
                  - [claude-c]
                claude-f: [a, b, c, d, e, f]
                claude-g: [a, b, a]
                claude-h: ["${ABSENT}"]
                ${MODEL}: [claude-a]
                claude-i: [claude-a]
                claude-i: [claude-b]
            """;
    String model =
        "(expected: the name of a model such as claude-sonnet-5-5: letters, digits and . _ : @ / -,"
            + " a letter or digit first, at most 128 of them) at headrace.yaml:";
    String list = "(expected: a list, each element " + model.substring("(expected: ".length());
    assertProblems(
        yaml,
        "retry.fallbacks.claude-i is set twice; first on line 17. (headrace.yaml:18)",
        "retry.fallbacks: the key \"claude a\" " + model + 4,
        "retry.fallbacks.claude-a: a single value " + list + 5,
        "retry.fallbacks.claude-b: [] (expected: 1 to 5 models) at headrace.yaml:6",
        "retry.fallbacks.claude-c: no value " + list + 7,
        "retry.fallbacks.claude-d: [claude-a, claude-d] (expected: other models than claude-d"
            + " itself) at headrace.yaml:8",
        "retry.fallbacks.claude-e: \"claude b\" " + model + 11,
        "retry.fallbacks.claude-e: a list " + model + 12,
        "retry.fallbacks.claude-f: [a, b, c, d, e, f] (expected: 1 to 5 models) at headrace.yaml:13",
        "retry.fallbacks.claude-g: [a, b, a] (expected: each element once) at headrace.yaml:14",
        "retry.fallbacks.claude-h: ${ABSENT} has no value (expected: an environment variable or"
            + " system property of that name) at headrace.yaml:15",
        "retry.fallbacks: the key ${MODEL} " + model + 16);
    assertProblems(
        KEY + "retry:\n  fallbacks: [claude-a]\n",
        "retry.fallbacks: a list (expected: a group of keys, each "
            + model.substring("(expected: ".length())
            + 3);
  }

  @Test
  void contentOfVariablesThatLookSecretIsNotShownByTheRulesOfAWhole() {
    assertThat(
            failure(
                    """
                    upstream:
                      members:
                        - {name: "${KEY_NAME}", api-key: k}
                        - {name: "${KEY_NAME}", api-key: k}
                    retry:
                      fallbacks:
                        hunter2: [a, "${KEY_NAME}"]
                        claude-a: [a, "${KEY_NAME}", "${KEY_NAME}"]
                    """,
                    SampleSettings.variables("KEY_NAME", "hunter2"))
                .problems())
        .containsExactly(
            "upstream.members[1].name: ${KEY_NAME} (expected: one that no other element of the"
                + " list has) at headrace.yaml:4",
            "retry.fallbacks.hunter2: [a, ${KEY_NAME}] (expected: other models than hunter2 itself)"
                + " at headrace.yaml:7",
            "retry.fallbacks.claude-a: [a, ${KEY_NAME}, ${KEY_NAME}] (expected: each element once)"
                + " at headrace.yaml:8");
  }

  @Test
  void wordsOfAChoiceAreExact() {
    assertProblems(
        KEY + "retry: {hold: FIRST_EVENT}\n",
        "retry.hold: FIRST_EVENT (expected: first-event or first-content) at headrace.yaml:2");
    assertProblems(
        "upstream: {api-key: k, selection: random}\n",
        "upstream.selection: random (expected: ordered or weighted) at headrace.yaml:1");
  }

  private static String noKey(int member, int line) {
    return "upstream.members["
        + member
        + "]: no API key (expected: api-key or api-key-file, or for all members upstream.api-key or"
        + " upstream.api-key-file) at headrace.yaml:"
        + line;
  }

  private static String ioThreads() {
    return "upstream.io-threads: 65 (expected: 0 to 64) at headrace.yaml:2";
  }

  private static void assertUnusable(Path file, String fault) {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> SettingsReader.read(file, NOTHING))
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .containsExactly(
                        Shown.name(file.toString())
                            + " "
                            + fault
                            + " (expected: a readable settings file in YAML)"));
  }

  private static void assertKeyFileProblem(Path file, String fault) {
    assertProblems(
        "upstream: {api-key-file: " + file + "}",
        "upstream.api-key-file: "
            + Shown.text(file.toString())
            + " "
            + fault
            + " (expected: a readable file that contains the API key and nothing else) at"
            + " headrace.yaml:1");
  }

  private static String mountProblem(String found, int line) {
    return "mount: "
        + found
        + " (expected: / or a path such as /claude: no slash at the end; letters, digits, dot, dash,"
        + " underscore and tilde only) at headrace.yaml:"
        + line;
  }

  private static LoadedSettings read(String yaml, Environment environment) {
    return SettingsReader.read(yaml, "headrace.yaml", environment);
  }

  private static SettingsException failure(String yaml, Environment environment) {
    SettingsException failure =
        catchThrowableOfType(SettingsException.class, () -> read(yaml, environment));
    assertThat(failure).as("reading of:%n%s", yaml).isNotNull();
    return failure;
  }

  private static void assertProblems(String yaml, String... problems) {
    assertThat(failure(yaml, NOTHING).problems()).containsExactly(problems);
  }

  /** As shells write it: the API would be asked with the name of the variable. */
  @Test
  void theNameOfAVariableWithoutBracesIsNoSecret() {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(
            () ->
                read(
                    """
                    upstream: {api-key: $ANTHROPIC_API_KEY}
                    usage: {report-key: $a_report_key_of_the_shop}
                    """,
                    NOTHING))
        .satisfies(
            e ->
                assertThat(e.problems())
                    .containsExactly(
                        "upstream.api-key: **** is the name of a variable without braces (expected:"
                            + " braces, as in ${ANTHROPIC_API_KEY}; a secret that looks so, in a"
                            + " variable) at headrace.yaml:1",
                        "usage.report-key: **** is the name of a variable without braces (expected:"
                            + " braces, as in ${ANTHROPIC_API_KEY}; a secret that looks so, in a"
                            + " variable) at headrace.yaml:2"));
    String key = "$odd";
    LoadedSettings odd =
        read("upstream: {api-key: '${ODD}'}", SampleSettings.variables("ODD", key));
    assertThat(odd.settings().upstream().apiKey()).isEqualTo(Secret.of(key));
  }

  @Test
  void aPriceFileThatIsNotThereIsNamedWithTheOthers(@TempDir Path folder) {
    Path absent = folder.resolve("prices.yaml");
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(
            () -> read("upstream: {api-key: k}\nusage:\n  prices-file: " + absent + "\n", NOTHING))
        .satisfies(
            e ->
                assertThat(e.problems())
                    .singleElement()
                    .asString()
                    .startsWith("usage.prices-file: ")
                    .endsWith(
                        "prices.yaml does not exist (expected: a readable file) at headrace.yaml:3"));
  }
}
