package dev.headrace.proxies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.ContainerKind;
import dev.headrace.containers.Figures;
import dev.headrace.containers.GatewayUnderTest;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import dev.headrace.simulator.Transcripts;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The snippets with their lines for TLS and HTTP/2 switched on. */
@Tag("slow")
@ParameterizedClass
@MethodSource("pairs")
final class Http2ProxyTest extends ProxyContract {

  private static final Duration HEARTBEAT = Duration.ofMillis(200);

  private static X509Bundle certificate;
  private static HttpClient client;

  Http2ProxyTest(ProxyKind kind, ContainerKind container) {
    super(kind, container);
  }

  @BeforeAll
  static void makeCertificate() throws Exception {
    certificate =
        new CertificateBuilder()
            .ecp256()
            .subject("CN=localhost")
            .addSanDnsName("localhost")
            .setIsCertificateAuthority(true)
            .buildSelfSigned();
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    trusted.setCertificateEntry("proxy", certificate.getCertificate());
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(null, trust.getTrustManagers(), null);
    client = HttpClient.newBuilder().sslContext(tls).version(HttpClient.Version.HTTP_2).build();
  }

  private HttpResponse<InputStream> post(ProxyServer proxy) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create("https://localhost:" + proxy.port() + "/claude/v1/messages"))
            .header("content-type", "application/json")
            .header("anthropic-version", "2026-10-21")
            .timeout(Duration.ofSeconds(20))
            .POST(BodyPublishers.ofString(STREAMING))
            .build();
    HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
    assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
    return response;
  }

  private ProxyServer withTls(GatewayUnderTest headrace) throws Exception {
    return closing(ProxyServer.of(kind(), headrace.port()).tls(certificate).start());
  }

  @Test
  void eventsArriveOneByOneAndByteForByte() throws Exception {
    List<byte[]> events = new ArrayList<>();
    for (String part : new String(Transcripts.text(), UTF_8).split("(?<=\n\n)", -1)) {
      if (!part.isEmpty()) {
        events.add(part.getBytes(UTF_8));
      }
    }
    GatedUpstream upstream = closing(new GatedUpstream(events));
    ProxyServer proxy = withTls(gateway(s -> s.upstreamBaseUrl(upstream.baseUrl())));
    upstream.release();
    InputStream body = post(proxy).body();
    for (int i = 0; i < events.size(); i++) {
      if (i > 0) {
        upstream.release();
      }
      byte[] event = events.get(i);
      assertThat(body.readNBytes(event.length)).isEqualTo(event);
    }
    assertThat(body.readAllBytes()).isEmpty();
  }

  @Test
  void aResetOfTheStreamEndsTheUpstreamInSilence() throws Exception {
    GatewayUnderTest headrace = gateway(s -> s.timeoutsHeartbeat(HEARTBEAT));
    ProxyServer proxy = withTls(headrace);
    headrace.claude().answersAlways(Answer.text("Hel", "lo").stallAfterEvents(4));
    InputStream body = post(proxy).body();
    StringBuilder read = new StringBuilder();
    while (read.indexOf("Hel") < 0) {
      read.append((char) body.read());
    }
    SeenRequest request = headrace.claude().awaitRequest(0, Duration.ofSeconds(5));

    long left = System.nanoTime();
    body.close(); // RST_STREAM

    request.awaitClientGone(Duration.ofSeconds(10));
    long millis = (request.clientGoneAtNanos().orElseThrow() - left) / 1_000_000;
    Figures.note(
        pair() + ": upstream closed after HTTP/2 stream reset in silence, heartbeat 200 ms",
        millis + " ms");
    assertThat(millis).isLessThan(6 * (HEARTBEAT.toMillis() + 100) + 500);
  }
}
