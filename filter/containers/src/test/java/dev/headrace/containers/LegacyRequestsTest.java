package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.headrace.simulator.Answer;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests as the filters of old applications leave them. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class LegacyRequestsTest extends GatewayContract {

  LegacyRequestsTest(ContainerKind kind) {
    super(kind);
  }

  /** Has read the body, and gives it to whoever asks, but knows nothing of listeners. */
  private static final class Cached extends HttpServletRequestWrapper {
    private final byte[] body;
    private final boolean refusesListeners;

    Cached(HttpServletRequest request, boolean refusesListeners) {
      super(request);
      this.refusesListeners = refusesListeners;
      body = read(request);
    }

    @Override
    public ServletInputStream getInputStream() {
      return new Deaf(new ByteArrayInputStream(body), refusesListeners);
    }

    @Override
    public BufferedReader getReader() {
      return new BufferedReader(new InputStreamReader(getInputStream(), UTF_8));
    }
  }

  /** Knows nothing of listeners. */
  private static final class Deaf extends ServletInputStream {
    private final InputStream from;
    private final boolean refusesListeners;
    private boolean finished;

    Deaf(InputStream from, boolean refusesListeners) {
      this.from = from;
      this.refusesListeners = refusesListeners;
    }

    @Override
    public boolean isFinished() {
      return finished;
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setReadListener(ReadListener listener) {
      if (refusesListeners) {
        throw new UnsupportedOperationException("not supported");
      }
    }

    @Override
    public int read() throws IOException {
      int read = from.read();
      finished = read < 0;
      return read;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
      int read = from.read(to, offset, length);
      finished = read < 0;
      return read;
    }
  }

  private static byte[] read(HttpServletRequest request) {
    try {
      return request.getInputStream().readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private GatewayUnderTest with(UnaryOperator<HttpServletRequest> wrap) throws Exception {
    GatewayUnderTest headrace =
        keep(GatewayUnderTest.startWithRequests(kind(), wrap, settings -> settings));
    headrace.claude().answersAlways(Answer.text("Hello"));
    return headrace;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aBodyThatAFilterHasKeptIsRead(boolean refusesListeners) throws Exception {
    GatewayUnderTest headrace = with(request -> new Cached(request, refusesListeners));
    RawClient.Reply reply = post(headrace, STREAMING);
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body()).contains("Hello").contains("message_stop");
    assertThat(headrace.claude().lastRequest().bodyText()).isEqualTo(STREAMING);
  }

  @Test
  void aBodyThatAFilterHasReadIsMissed() throws Exception {
    GatewayUnderTest headrace =
        with(
            request -> {
              assertThat(read(request)).hasSize(STREAMING.length());
              return request;
            });
    RawClient.Reply reply = post(headrace, STREAMING);
    assertThat(reply.status()).isEqualTo(400);
    assertThat(reply.body()).contains("invalid_request_error").contains("filter");
    try (RawHttp2Client http2 = RawHttp2Client.connect(headrace.port())) {
      http2.post(STREAMING).readToEnd();
      assertThat(new String(http2.body(), UTF_8)).isEqualTo(reply.body());
    }
    assertThat(headrace.claude().attempts()).isZero();
  }

  /** Both are wrapped, as by a filter that keeps what passes, and nothing is held back. */
  @Test
  void aSlowUploadIsNoFaultOfTheFilterOfTheAnswer() throws Exception {
    GatewayUnderTest headrace =
        keep(
            GatewayUnderTest.startWrapped(
                kind(), LazilyKept::new, PassedOn::new, settings -> settings));
    headrace.claude().answersAlways(Answer.text("Hello"));
    assertThat(post(headrace, STREAMING).body()).contains("message_stop"); // on a held thread

    RawClient slow = client(headrace);
    byte[] body = STREAMING.getBytes(UTF_8);
    slow.send(
        RawClient.head("POST", "/claude/v1/messages")
            .append("Content-Type: application/json\r\nAnthropic-Version: 2026-10-21\r\n")
            .append("Content-Length: ")
            .append(body.length)
            .append("\r\n\r\n")
            .toString(),
        Arrays.copyOf(body, 10));
    await("longer than a filter may hold back an answer")
        .during(Duration.ofMillis(2_500))
        .atMost(Duration.ofSeconds(10))
        .until(() -> headrace.gateway().runningExchanges() == 1);
    slow.send("", Arrays.copyOfRange(body, 10, body.length));

    RawClient.Reply reply = slow.reply();
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body()).contains("message_stop");
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("COMPLETED", 2L));
  }

  /** Reads the container's stream when it is read itself. */
  private static final class LazilyKept extends HttpServletRequestWrapper {

    LazilyKept(HttpServletRequest request) {
      super(request);
    }

    @Override
    public ServletInputStream getInputStream() throws IOException {
      return new Deaf(super.getInputStream(), true);
    }
  }

  @Test
  void aBodyThatAFilterReadsAsTextIsAnErrorThatSaysSo() throws Exception {
    GatewayUnderTest headrace =
        with(
            request -> {
              try {
                request.getReader();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
              return request;
            });
    RawClient.Reply reply = post(headrace, STREAMING);
    assertThat(reply.status()).isEqualTo(500);
    assertThat(reply.body()).contains("api_error").contains("filter");
    assertThat(headrace.claude().attempts()).isZero();
  }
}
