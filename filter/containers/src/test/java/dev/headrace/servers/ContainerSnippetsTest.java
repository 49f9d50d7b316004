package dev.headrace.servers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.Gateway;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.containers.Figures;
import dev.headrace.containers.RawClient;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.containers.Requests;
import dev.headrace.containers.RuntimeJars;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The files of {@code config/containers} in servers that are started with them. */
final class ContainerSnippetsTest {

  private static final Path SNIPPETS = Path.of("..", "..", "config", "containers");
  private static final String KEY = "sk-ant-test-key-that-must-stay-secret";
  private static final String STREAMING = Requests.streaming("Hello");
  private static final String TRANSCRIPT = new String(Transcripts.text(), UTF_8);

  private final ClaudeSimulator claude = ClaudeSimulator.builder().apiKey(KEY).start();
  @TempDir private Path directory;

  @AfterEach
  void closeSimulator() {
    claude.close();
  }

  @BeforeEach
  void answer() {
    claude.answersAlways(Answer.transcript(TRANSCRIPT));
  }

  @Tag("slow")
  @ParameterizedTest
  @EnumSource(names = {"TOMCAT_11", "TOMCAT_10_1"})
  void tomcatStreamsAndStopsGracefullyWithItsServerXml(ServerKind kind) throws Exception {
    Path settings = directory.resolve("war/WEB-INF/headrace.yaml");
    try (ServerProcess server =
        server(kind)
            .file(
                "conf/server.xml",
                port ->
                    once(
                        snippet("tomcat-server.xml"),
                        "port=\"8080\"",
                        "port=\"" + port + "\" address=\"127.0.0.1\""))
            .file(
                "conf/Catalina/localhost/ROOT.xml",
                port ->
                    snippet("tomcat-context.xml")
                        .replace("/etc/headrace/headrace.yaml", settings.toString()))
            .start()) {
      assertStreams(server.port());
      assertALargeRequestPasses(server.port());
      assertTooLargeARequestIsToldSo(server.port());
      assertStopsGracefully(server);
    }
  }

  @Tag("slow")
  @Test
  void jettyStreamsAndStopsGracefullyWithItsIniFile() throws Exception {
    try (ServerProcess server =
        server(ServerKind.JETTY_12_1)
            .file("start.d/headrace.ini", port -> snippet("jetty-headrace.ini"))
            .file(
                "start.d/server.ini",
                port ->
                    "jetty.http.host=127.0.0.1\njetty.http.port="
                        + port
                        + "\n--module=ee11-deploy,ee11-annotations\n")
            .start()) {
      assertStreams(server.port());
      assertALargeRequestPasses(server.port());
      assertStopsGracefully(server);
    }
  }

  @Test
  void undertowStreamsAndStopsGracefullyAsItsCodeSays() throws Exception {
    Path classes = Files.createDirectories(directory.resolve("classes"));
    String code =
        once(
            snippet("EmbeddedUndertow.java"),
            "REQUEST_PARSE_TIMEOUT, 30_000",
            "REQUEST_PARSE_TIMEOUT, 500");
    compile("EmbeddedUndertow", code, classes);
    Gateway gateway =
        Gateway.start(
            GatewaySettings.builder()
                .upstreamBaseUrl(claude.baseUrl())
                .upstreamApiKey(Secret.of(KEY))
                .build());
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    try (gateway;
        URLClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
      AutoCloseable server =
          (AutoCloseable)
              loader
                  .loadClass("com.example.EmbeddedUndertow")
                  .getConstructor(int.class, Gateway.class)
                  .newInstance(port, gateway);
      assertStreams(port);
      assertALargeRequestPasses(port);
      assertHalfAHeadIsNotWaitedFor(port);
      claude.answers(Answer.transcript(TRANSCRIPT).pauseAfterEvents(4, Duration.ofSeconds(1)));
      try (RawClient running = RawClient.connect(port).post(STREAMING)) {
        running.replyHead();
        running.readBodyUntil("content_block_start");
        server.close();
        assertRestArrives(running);
      }
    }
  }

  private static void assertHalfAHeadIsNotWaitedFor(int port) throws Exception {
    try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
      client.setSoTimeout(20_000);
      client.getOutputStream().write("POST /claude/v1/mess".getBytes(UTF_8));
      assertThat(client.getInputStream().read()).isEqualTo(-1);
    }
  }

  private static void compile(String name, String code, Path into) throws Exception {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter said = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, UTF_8)) {
      boolean compiled =
          compiler
              .getTask(
                  said,
                  files,
                  null,
                  List.of(
                      "--release",
                      "17",
                      "-proc:none",
                      "-classpath",
                      System.getProperty("java.class.path"),
                      "-d",
                      into.toString()),
                  null,
                  List.of(
                      new SimpleJavaFileObject(
                          URI.create("string:///com/example/" + name + ".java"),
                          JavaFileObject.Kind.SOURCE) {
                        @Override
                        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                          return code;
                        }
                      }))
              .call();
      assertThat(compiled).as(said.toString()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tomcat-server.xml", "tomcat-context.xml", "liberty-server.xml"})
  void xmlFilesAreWellFormed(String name) throws Exception {
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(SNIPPETS.resolve(name).toFile());
  }

  /** Names and values are WildFly's business; this only finds what is no operation at all. */
  @Test
  void everyLineOfTheCliScriptIsAnOperation() {
    assertThat(
            snippet("wildfly.cli").lines().filter(line -> !line.isBlank() && !line.startsWith("#")))
        .isNotEmpty()
        .allMatch(
            line ->
                line.equals("reload")
                    || line.matches(
                        "(/[a-z-]+=[a-z-]+)+:(write-attribute\\(name=[a-z0-9-]+,value=\\w+\\)"
                            + "|undefine-attribute\\(name=[a-z-]+\\))"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"http-listener=default", "https-listener=https"})
  void noClientOfWildFlyMaySendNothingForEver(String listener) {
    Map<String, Long> clocks =
        snippet("wildfly.cli")
            .lines()
            .filter(line -> line.contains(listener) && line.contains("-timeout,value="))
            .collect(
                Collectors.toMap(
                    line -> line.replaceFirst(".*name=([a-z-]+),.*", "$1"),
                    line -> Long.valueOf(line.replaceFirst(".*value=(\\d+)\\)", "$1"))));
    long total =
        GatewaySettings.builder()
            .upstreamApiKey(Secret.of(KEY))
            .build()
            .timeouts()
            .total()
            .toMillis();
    assertThat(clocks)
        .containsOnlyKeys(
            "no-request-timeout", "request-parse-timeout", "read-timeout", "write-timeout");
    assertThat(clocks.values()).allMatch(millis -> millis > 0);
    assertThat(clocks.get("read-timeout")).isGreaterThan(total);
    assertThat(clocks.get("write-timeout")).isGreaterThan(total);
  }

  @Test
  void everyFileIsExercisedHere() throws Exception {
    try (Stream<Path> files = Files.list(SNIPPETS)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "tomcat-server.xml",
              "tomcat-context.xml",
              "jetty-headrace.ini",
              "EmbeddedUndertow.java",
              "liberty-server.xml",
              "wildfly.cli");
    }
  }

  // ---- The application and what is asked of it

  private ServerProcess.Builder server(ServerKind kind) throws Exception {
    Path war = directory.resolve("war");
    Path lib = Files.createDirectories(war.resolve("WEB-INF/lib"));
    for (Path jar : RuntimeJars.all()) {
      Files.copy(jar, lib.resolve(jar.getFileName().toString()));
    }
    Files.writeString(
        war.resolve("WEB-INF/headrace.yaml"),
        "upstream: {base-url: \"" + claude.baseUrl() + "\", api-key: " + KEY + "}\n");
    Figures.note("snippet for containers: version", kind + " " + kind.version());
    return ServerProcess.of(kind).war("ROOT", war);
  }

  private static Reply post(int port, String body) throws Exception {
    try (RawClient client = RawClient.connect(port)) {
      return client.post(body).reply();
    }
  }

  private void assertStreams(int port) throws Exception {
    for (int i = 0; i < 20; i++) {
      Reply reply = post(port, STREAMING);
      assertThat(reply.status()).as(reply.body()).isEqualTo(200);
      assertThat(reply.end()).isEqualTo(End.COMPLETE);
      assertThat(reply.body()).isEqualTo(TRANSCRIPT);
    }
  }

  private static void assertALargeRequestPasses(int port) throws Exception {
    assertThat(post(port, Requests.streaming("x".repeat(20 << 20))).status()).isEqualTo(200);
  }

  /** And is not just cut off. */
  private static void assertTooLargeARequestIsToldSo(int port) throws Exception {
    assertThat(post(port, Requests.streaming("x".repeat(33 << 20))).status()).isEqualTo(413);
  }

  /** A stream that runs goes on to its end although the server has been asked to stop. */
  private void assertStopsGracefully(ServerProcess server) throws Exception {
    claude.answers(Answer.transcript(TRANSCRIPT).pauseAfterEvents(4, Duration.ofSeconds(3)));
    try (RawClient running = RawClient.connect(server.port()).post(STREAMING)) {
      running.replyHead();
      running.readBodyUntil("content_block_start");
      server.terminate();
      assertRestArrives(running);
    }
    server.stop();
    assertThat(server.isAlive()).isFalse();
  }

  private static void assertRestArrives(RawClient running) throws Exception {
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    assertThat(running.readBody(rest, Long.MAX_VALUE)).isEqualTo(End.COMPLETE);
    assertThat(rest.toString(UTF_8)).contains("message_stop").doesNotContain("event: error");
  }

  private static String once(String text, String what, String by) {
    assertThat(text.split(Pattern.quote(what), -1)).as(what).hasSize(2);
    return text.replace(what, by);
  }

  private static String snippet(String name) {
    try {
      return Files.readString(SNIPPETS.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
