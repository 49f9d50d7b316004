package dev.headrace.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;

class TlsTest {
  @Test
  void aClientThatTrustsTheCertificateIsServedAndCutsWork() throws Exception {
    Path file;
    try (ClaudeSimulator claude = ClaudeSimulator.builder().tls().start()) {
      claude
          .answers(Answer.text("secret"))
          .answers(Answer.text("x").resetAtByte(50))
          .answers(Answer.empty().flood(20 << 20));
      HttpClient client = trusting(claude);
      HttpRequest request =
          HttpRequest.newBuilder(claude.baseUrl().resolve("/v1/messages"))
              .header("x-api-key", "k")
              .header("content-type", "application/json")
              .header("anthropic-version", "2026-10-21")
              .POST(HttpRequest.BodyPublishers.ofString(HttpCaller.STREAMING_BODY))
              .build();

      assertThat(claude.baseUrl().getScheme()).isEqualTo("https");
      assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).body())
          .contains("secret");
      assertThatThrownBy(() -> client.send(request, HttpResponse.BodyHandlers.ofString()))
          .isInstanceOf(IOException.class);
      assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).body())
          .hasSizeGreaterThan(20 << 20);
      claude.lastRequest().awaitFinished(Duration.ofSeconds(10));
      file = claude.certificateFile();
      assertThat(Files.readString(file))
          .isEqualTo(claude.certificatePem())
          .startsWith("-----BEGIN CERTIFICATE-----");
      assertThatThrownBy(
              () -> HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()))
          .isInstanceOf(IOException.class);
    }
    assertThat(file).doesNotExist();
  }

  @Test
  void withoutTlsThereIsNoCertificate() {
    try (ClaudeSimulator claude = ClaudeSimulator.start()) {
      assertThatThrownBy(claude::certificatePem).isInstanceOf(IllegalStateException.class);
    }
  }

  private static HttpClient trusting(ClaudeSimulator claude) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setCertificateEntry("claude", claude.certificate());
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(context).build();
  }
}
