package dev.headrace.upstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.upstream.UpstreamFailure.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class ApacheUpstreamClientTest {

  private static final GatewaySettings SETTINGS =
      GatewaySettings.builder().upstreamApiKey(Secret.of("k")).upstreamIoThreads(2).build();

  private static final String PASSWORD = "changeit"; // of a key that lives for one test

  /** A container that looks for threads right after the end of an application finds none. */
  @RepeatedTest(20)
  void closingWaitsForEveryThread() {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    ApacheUpstreamClient client = new ApacheUpstreamClient(SETTINGS);
    Set<Thread> ours = new HashSet<>(Thread.getAllStackTraces().keySet());
    ours.removeAll(before);
    ours.removeIf(thread -> !thread.getName().startsWith("headrace-upstream-"));
    assertThat(ours).isNotEmpty();

    client.close();

    assertThat(ours).noneMatch(Thread::isAlive);
  }

  @Test
  void aStartThatFailsBecauseOfTheKeyLeavesNoThreadBehind() {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    GatewaySettings settings =
        GatewaySettings.builder().upstreamApiKeyFile(Path.of("/no/such/key")).build();
    assertThatExceptionOfType(RuntimeException.class)
        .isThrownBy(() -> new UpstreamPool(settings, TimeSource.system()))
        .withMessageContaining("key");
    await()
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .filteredOn(thread -> thread.getName().startsWith("headrace-upstream"))
                    .allMatch(before::contains));
  }

  /** Else networks forget a connection that is idle for minutes, and nobody tells either end. */
  @Test
  @Timeout(60)
  @EnabledOnOs(OS.LINUX)
  void aSilentConnectionIsProbedAfterAMinute() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ApacheUpstreamClient client = new ApacheUpstreamClient(SETTINGS)) {
      URI origin = URI.create("http://127.0.0.1:" + server.getLocalPort());
      client.start(
          new UpstreamRequest(origin, "GET", "/v1/models", List.of(), new byte[0], 0), new Deaf());
      try (Socket connection = server.accept()) {
        assertThat(connection.getInputStream().read()).isEqualTo('G');

        await()
            .atMost(20, TimeUnit.SECONDS)
            .untilAsserted(
                () -> assertThat(secondsToProbe(server.getLocalPort())).isBetween(1L, 60L));
      }
    }
  }

  /** Of the connection to that port, by the kernel; -1 if no probe is planned. */
  private static long secondsToProbe(int port) throws IOException {
    String remote = String.format(":%04X", port);
    for (Path table : List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"))) {
      if (!Files.exists(table)) {
        continue; // a kernel without IPv6
      }
      try (Stream<String> lines = Files.lines(table)) {
        // sl, local, remote, state (01: established), queues, timer (02: keep-alive):hundredths
        for (String line : lines.toList()) {
          String[] fields = line.strip().split(" +", -1);
          if (fields[2].endsWith(remote) && fields[3].equals("01") && fields[5].startsWith("02:")) {
            return Long.parseLong(fields[5].substring(3), 16) / 100;
          }
        }
      }
    }
    return -1;
  }

  /** HttpClient writes the head of each request to its log, for whoever asks for so much. */
  @Test
  @Timeout(60)
  void noLogHasTheKey() throws Exception {
    Logger all = (Logger) LoggerFactory.getLogger("org.apache.hc");
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    all.setLevel(Level.TRACE);
    all.setAdditive(false);
    all.addAppender(lines);
    Deaf listener = new Deaf();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ApacheUpstreamClient client = new ApacheUpstreamClient(SETTINGS)) {
      byte[] body = "the prompt".getBytes(UTF_8);
      URI origin = URI.create("http://127.0.0.1:" + server.getLocalPort());
      List<HeaderField> head = List.of(new HeaderField("x-api-key", "sk-secret"));
      client.start(
          new UpstreamRequest(origin, "POST", "/v1/messages", head, body, body.length), listener);
      String sent;
      try (Socket connection = server.accept()) {
        StringBuilder request = new StringBuilder();
        InputStream in = connection.getInputStream();
        while (!request.toString().endsWith("the prompt")) {
          request.append((char) in.read());
        }
        sent = request.toString();
      }
      assertThat(listener.failure.get().kind()).isEqualTo(Kind.NO_RESPONSE);
      assertThat(sent).contains("x-api-key: sk-secret\r\n");
    } finally {
      all.detachAppender(lines);
      all.setLevel(null);
      all.setAdditive(true);
    }
    assertThat(lines.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .anyMatch(line -> line.contains("x-api-key: ****"))
        .noneMatch(line -> line.contains("sk-secret") || line.contains("the prompt"));
  }

  /** It would end the I/O thread, and then the client as a whole. */
  @Test
  @Timeout(60)
  void whoFailsToTakeAFailureHarmsNobodyElse() throws Exception {
    GatewaySettings settings =
        GatewaySettings.builder().upstreamApiKey(Secret.of("k")).upstreamIoThreads(1).build();
    try (ServerSocket server = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
        ApacheUpstreamClient client = new ApacheUpstreamClient(settings)) {
      for (int i = 0; i < 3; i++) {
        CompletableFuture<UpstreamFailure> told = new CompletableFuture<>();
        client.start(
            post("http://127.0.0.1:" + server.getLocalPort()),
            new Deaf() {
              @Override
              public void onFailure(UpstreamFailure how) {
                told.complete(how);
                throw new NoClassDefFoundError("com/example/Missing");
              }
            });
        server.accept().close();
        assertThat(told.get().detail()).doesNotContain("Shutdown");
        Deaf next = new Deaf();
        client.start(post("http://127.0.0.1:" + server.getLocalPort()), next);
        try (Socket connection = server.accept()) {
          assertThat(connection.getInputStream().read()).isEqualTo('P');
        }
        assertThat(next.failure.get().detail()).doesNotContain("Shutdown");
      }
    }
  }

  /** HttpClient asks no consumer then, and tells only who has given it a callback. */
  @Test
  @Timeout(60)
  void aCallThatMeetsTheEndOfTheClientIsTold() {
    ApacheUpstreamClient client = new ApacheUpstreamClient(SETTINGS);
    client.close();
    Deaf listener = new Deaf();
    try {
      client.start(post("http://127.0.0.1:1"), listener);
    } catch (IllegalStateException e) {
      return; // told at once, as of httpclient5 that looks before
    }
    assertThat(listener.failure.join()).isNotNull();
  }

  /** For HttpClient such an exchange is over with its head. */
  @ParameterizedTest
  @ValueSource(ints = {200, 400, 500, 529})
  @Timeout(60)
  void aCancelClosesTheConnectionInMidAnswer(int status) throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    Deaf listener =
        new Deaf() {
          @Override
          public void onBytes(ByteBuffer bytes) {
            begun.countDown();
          }
        };
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ApacheUpstreamClient client = new ApacheUpstreamClient(SETTINGS)) {
      Attempt attempt = client.start(post("http://127.0.0.1:" + server.getLocalPort()), listener);
      try (Socket connection = server.accept()) {
        connection.setSoTimeout(10_000); // far below the test's own
        InputStream request = connection.getInputStream();
        while (request.read() != '!') {} // the end of the body
        connection
            .getOutputStream()
            .write(("HTTP/1.1 " + status + " x\r\ncontent-length: 1000\r\n\r\n{").getBytes(UTF_8));
        begun.await();

        attempt.cancel();

        assertThat(endOf(request)).isEqualTo("closed");
        assertThat(listener.failure.get().kind()).isEqualTo(Kind.CANCELLED);
        await().until(() -> client.connectionsInUse() == 0);
      }
    }
  }

  private static String endOf(InputStream in) throws IOException {
    try {
      return in.read() < 0 ? "closed" : "more";
    } catch (SocketTimeoutException e) {
      return "silent";
    } catch (SocketException e) {
      return "closed"; // reset
    }
  }

  /** What must not run twice is repeated only after failures that say that nothing was sent. */
  @ParameterizedTest
  @ValueSource(strings = {"POST", "DELETE"})
  @Timeout(60)
  void tlsThatBreaksBehindTheRequestIsAConnectionWithoutAnAnswer(
      String method, @TempDir Path folder) throws Exception {
    KeyStore store = selfSigned(folder);
    GatewaySettings settings =
        GatewaySettings.builder()
            .upstreamApiKey(Secret.of("k"))
            .upstreamCaFile(certificateOf(store, folder))
            .build();
    Deaf listener = new Deaf();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ApacheUpstreamClient client = new ApacheUpstreamClient(settings)) {
      String origin = "https://localhost:" + server.getLocalPort();
      client.start(method.equals("POST") ? post(origin) : delete(origin), listener);
      try (Socket connection = server.accept();
          SSLSocket tls = serverSideOf(connection, store)) {
        InputStream request = tls.getInputStream();
        while (request.read() != '!') {} // the end of the body, or of the path
        connection.getOutputStream().write("no TLS at all".getBytes(UTF_8));

        assertThat(listener.failure.get().kind()).isEqualTo(Kind.NO_RESPONSE);
        assertThat(listener.failure.get().detail()).startsWith("SSL");
      }
    }
  }

  @Test
  @Timeout(60)
  void tlsThatDoesNotComeAboutMeansThatNothingWasSent() throws Exception {
    Deaf listener = new Deaf();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ApacheUpstreamClient client = new ApacheUpstreamClient(SETTINGS)) {
      client.start(post("https://localhost:" + server.getLocalPort()), listener);
      try (Socket connection = server.accept()) {
        connection.getOutputStream().write("no TLS at all".getBytes(UTF_8));

        assertThat(listener.failure.get().kind()).isEqualTo(Kind.CONNECT);
      }
    }
  }

  /** A POST that may not run twice may be repeated then, and costs nobody anything. */
  @Test
  @Timeout(60)
  void aConnectionThatIsResetInMidHandshakeMeansThatNothingWasSent() throws Exception {
    Deaf listener = new Deaf();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ApacheUpstreamClient client = new ApacheUpstreamClient(SETTINGS)) {
      Attempt attempt = client.start(post("https://localhost:" + server.getLocalPort()), listener);
      try (Socket connection = server.accept()) {
        assertThat(connection.getInputStream().read()).isPositive(); // of its hello
        assertThat(attempt.mayHaveBeenSent()).isFalse();
        connection.setSoLinger(true, 0);
      }
      assertThat(listener.failure.get().kind()).isEqualTo(Kind.CONNECT);
    }
  }

  /** Else it would be open, in no pool, when its TLS has come about. */
  @Test
  @Timeout(60)
  void aCancelInMidHandshakeClosesTheConnection() throws Exception {
    Deaf listener = new Deaf();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ApacheUpstreamClient client = connectingWithin(Duration.ofMinutes(1))) {
      Attempt attempt = client.start(post("https://localhost:" + server.getLocalPort()), listener);
      try (Socket connection = server.accept()) {
        connection.setSoTimeout(20_000);
        InputStream in = connection.getInputStream();
        assertThat(in.read()).isPositive(); // of its hello

        attempt.cancel();

        try {
          assertThat(in.readAllBytes()).isNotEmpty(); // the rest of the hello, and the end
        } catch (SocketException e) {
          assertThat(e).hasMessageContaining("reset");
        }
      }
      await().untilAsserted(() -> assertThat(client.connectionsInUse()).isZero());
    }
  }

  @Test
  @Timeout(60)
  void tlsThatIsNotAnsweredIsAConnectTimeout() throws Exception {
    Deaf listener = new Deaf();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ApacheUpstreamClient client = connectingWithin(Duration.ofMillis(300))) {
      client.start(post("https://localhost:" + server.getLocalPort()), listener);
      try (Socket connection = server.accept()) {
        assertThat(connection.getInputStream().read()).isPositive();
        assertThat(listener.failure.get().kind()).isEqualTo(Kind.CONNECT_TIMEOUT);
      }
    }
  }

  private static ApacheUpstreamClient connectingWithin(Duration limit) {
    return new ApacheUpstreamClient(
        GatewaySettings.builder().upstreamApiKey(Secret.of("k")).timeoutsConnect(limit).build());
  }

  private static UpstreamRequest post(String origin) {
    byte[] body = "Hello!".getBytes(UTF_8);
    return new UpstreamRequest(
        URI.create(origin), "POST", "/v1/messages/batches", List.of(), body, body.length);
  }

  @SuppressWarnings("NullAway") // does not see that the compiled array may be null
  private static UpstreamRequest delete(String origin) {
    return new UpstreamRequest(URI.create(origin), "DELETE", "/v1/files/f!", List.of(), null, 0);
  }

  private static SSLSocket serverSideOf(Socket connection, KeyStore store) throws Exception {
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(connection, null, false);
    tls.setUseClientMode(false);
    return tls;
  }

  /** A key with a certificate for {@code localhost}, made by the JDK's own tool. */
  private static KeyStore selfSigned(Path folder) throws Exception {
    Path file = folder.resolve("keys.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "upstream",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost",
                "-storepass",
                PASSWORD,
                "-keystore",
                file.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), UTF_8);
    assertThat(keytool.waitFor()).as(said).isZero();
    return KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray());
  }

  private static Path certificateOf(KeyStore store, Path folder) throws Exception {
    String pem =
        "-----BEGIN CERTIFICATE-----\n"
            + Base64.getMimeEncoder().encodeToString(store.getCertificate("upstream").getEncoded())
            + "\n-----END CERTIFICATE-----\n";
    return Files.writeString(folder.resolve("ca.pem"), pem);
  }
}
