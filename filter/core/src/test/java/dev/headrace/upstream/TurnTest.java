package dev.headrace.upstream;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an upstream sends in one go arrives whole and in order, whatever the buffers' sizes. */
@Timeout(60)
class TurnTest {

  private static final String HEAD =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

  private ServerSocket server;

  @BeforeEach
  void listen() throws IOException {
    server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  }

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  private static String event(int number) {
    return "event: content_block_delta\ndata: {\"number\":" + number + "}\n\n";
  }

  private static String chunks(int chunkBytes, String content) {
    StringBuilder chunked = new StringBuilder();
    for (int from = 0; from < content.length(); from += chunkBytes) {
      String piece = content.substring(from, Math.min(content.length(), from + chunkBytes));
      chunked.append(Integer.toHexString(piece.length())).append("\r\n").append(piece);
      chunked.append("\r\n");
    }
    return chunked.toString();
  }

  private static String events(int count) {
    StringBuilder content = new StringBuilder();
    for (int i = 0; i < count; i++) {
      content.append(event(i));
    }
    return content.toString();
  }

  private static ApacheUpstreamClient client(int bufferBytes, int windowBytes) {
    return new ApacheUpstreamClient(
        GatewaySettings.builder()
            .upstreamApiKey(Secret.of("k"))
            .upstreamIoThreads(1)
            .upstreamBufferSize(ByteSize.ofBytes(bufferBytes))
            .buffersSoft(ByteSize.ofBytes(windowBytes))
            .build());
  }

  private Attempt ask(ApacheUpstreamClient client, Recorder recorder) {
    URI origin = URI.create("http://127.0.0.1:" + server.getLocalPort());
    return client.start(
        new UpstreamRequest(origin, "GET", "/v1/models", List.of(), new byte[0], 0), recorder);
  }

  /** Reads the request's head; the answer can be written then. */
  private static OutputStream answerOf(Socket connection) throws IOException {
    int blank = 0;
    while (blank < 4) {
      int b = connection.getInputStream().read();
      blank = b == '\r' || b == '\n' ? blank + 1 : 0;
    }
    return connection.getOutputStream();
  }

  @ParameterizedTest
  @CsvSource({
    "2048, 57",
    "2048, 1",
    "2048, 31",
    "2048, 32",
    "2048, 33",
    "2048, 5000",
    "8192, 57",
    "65536, 57",
    "65536, 70000",
    "1048576, 160"
  })
  void whatComesInOneGoArrivesWholeAndInFewRuns(int bufferBytes, int chunkBytes) throws Exception {
    String content = events(3_000);
    try (ApacheUpstreamClient client = client(bufferBytes, 8 << 20)) {
      Recorder recorder = new Recorder();
      ask(client, recorder);
      try (Socket connection = server.accept()) {
        OutputStream out = answerOf(connection);
        out.write((HEAD + chunks(chunkBytes, content) + "0\r\n\r\n").getBytes(US_ASCII));
        out.flush();
        recorder.awaitEnd();
      }
      assertThat(recorder.end).isEqualTo("end");
      assertThat(recorder.bytes.toString(US_ASCII)).isEqualTo(content);
      assertThat(recorder.unpaused.get()).as("bytes after the last pause").isZero();
      assertThat(recorder.pauses.get()).isLessThan(1_000); // of 3,000 events
      assertThat(recorder.pieces.get()).isLessThan(1_000);
    }
  }

  /** HttpCore takes the exchange for over by then, and would tell nobody. */
  @Test
  void anEndThatCannotBeTakenIsAFailure() throws Exception {
    try (ApacheUpstreamClient client = client(2048, 1 << 16)) {
      Recorder recorder =
          new Recorder() {
            @Override
            public void onEnd() {
              throw new IllegalStateException("out of order");
            }
          };
      ask(client, recorder);
      try (Socket connection = server.accept()) {
        OutputStream out = answerOf(connection);
        out.write((HEAD + chunks(20, event(1)) + "0\r\n\r\n").getBytes(US_ASCII));
        out.flush();
        recorder.awaitEnd();
      }
      assertThat(recorder.end).isEqualTo("CUT");
      assertThat(recorder.bytes.toString(US_ASCII)).isEqualTo(event(1));
    }
  }

  @Test
  void idleConnectionIsKnownAsOne() throws Exception {
    try (ApacheUpstreamClient client = client(2048, 1 << 16)) {
      URI origin = URI.create("http://127.0.0.1:" + server.getLocalPort());
      assertThat(client.hasIdleConnection(origin)).isFalse();
      Recorder recorder = new Recorder();
      ask(client, recorder);
      try (Socket connection = server.accept()) {
        OutputStream out = answerOf(connection);
        assertThat(client.hasIdleConnection(origin)).as("while it is in use").isFalse();
        out.write((HEAD + chunks(20, event(1)) + "0\r\n\r\n").getBytes(US_ASCII));
        out.flush();
        recorder.awaitEnd();
        await().until(() -> client.hasIdleConnection(origin));
        assertThat(client.hasIdleConnection(URI.create("https://127.0.0.1"))).isFalse();
      }
    }
  }

  /** The decoder throws what it has decoded away with a premature end; see UpstreamSession. */
  @ParameterizedTest
  @CsvSource({"2048, 0", "2048, 5", "2048, 700", "8192, 0", "65536, 3"})
  void whatCameBeforeAPrematureEndArrives(int bufferBytes, int missing) throws Exception {
    String content = events(2_000);
    String sent = HEAD + chunks(160, content);
    try (ApacheUpstreamClient client = client(bufferBytes, 8 << 20)) {
      for (int round = 0; round < 20; round++) {
        Recorder recorder = new Recorder();
        ask(client, recorder);
        try (Socket connection = server.accept()) {
          OutputStream out = answerOf(connection);
          out.write(sent.substring(0, sent.length() - missing).getBytes(US_ASCII));
          out.flush();
        }
        recorder.awaitEnd();
        assertThat(recorder.end).isEqualTo("CUT");
        assertThat(content).startsWith(recorder.bytes.toString(US_ASCII));
        assertThat(recorder.bytes.size()).isGreaterThanOrEqualTo(content.length() - missing - 8);
        assertThat(recorder.unpaused.get()).as("bytes after the last pause").isZero();
      }
    }
  }

  @Test
  void aWindowThatIsUsedUpIsPassedByOneTurnAtMost() throws Exception {
    int window = 100_000;
    String content = events(100_000);
    try (ApacheUpstreamClient client = client(2048, window)) {
      Recorder recorder = new Recorder();
      Attempt attempt = ask(client, recorder);
      try (Socket connection = server.accept()) {
        OutputStream out = answerOf(connection);
        Thread writer =
            new Thread(
                () -> {
                  try {
                    out.write((HEAD + chunks(160, content) + "0\r\n\r\n").getBytes(US_ASCII));
                  } catch (IOException e) {
                    // the test has failed
                  }
                });
        writer.start();
        int taken = recorder.awaitStandstill();
        assertThat(taken).isBetween(window, window + Turn.MOST_BYTES + 2048);
        attempt.grant(content.length());
        recorder.awaitEnd();
        writer.join();
      }
      assertThat(recorder.bytes.toString(US_ASCII)).isEqualTo(content);
    }
  }

  /** Bytes behind an answer belong to none: the connection is not used again. */
  @Test
  void bytesBehindAnAnswerAreNoAnswer() throws Exception {
    try (ApacheUpstreamClient client = client(2048, 8 << 20)) {
      Recorder first = new Recorder();
      ask(client, first);
      try (Socket connection = server.accept()) {
        OutputStream out = answerOf(connection);
        String forged = HEAD + chunks(100, "event: forged\n\n".repeat(5_000)) + "0\r\n\r\n";
        out.write((HEAD + chunks(100, events(10)) + "0\r\n\r\n" + forged).getBytes(US_ASCII));
        out.flush();
        first.awaitEnd();
        assertThat(first.bytes.toString(US_ASCII)).isEqualTo(events(10));
        assertThat(connection.getInputStream().read()).isEqualTo(-1);
      }
      Recorder second = new Recorder();
      ask(client, second);
      try (Socket connection = server.accept()) {
        OutputStream out = answerOf(connection);
        out.write((HEAD + chunks(100, events(3)) + "0\r\n\r\n").getBytes(US_ASCII));
        out.flush();
        second.awaitEnd();
      }
      assertThat(second.bytes.toString(US_ASCII)).isEqualTo(events(3));
    }
  }

  /** Collects what an attempt brings. */
  private static class Recorder implements AttemptListener {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    final CountDownLatch ended = new CountDownLatch(1);
    volatile String end = "";
    final AtomicInteger pauses = new AtomicInteger();
    final AtomicInteger unpaused = new AtomicInteger(); // bytes
    final AtomicInteger pieces = new AtomicInteger();

    void awaitEnd() throws InterruptedException {
      assertThat(ended.await(20, TimeUnit.SECONDS)).as("ended").isTrue();
      for (int i = 0; i < 200 && unpaused.get() > 0; i++) {
        Thread.sleep(5); // the last pause comes behind the end
      }
    }

    /** Waits until no more has come for a while; returns how much has. */
    int awaitStandstill() throws InterruptedException {
      int last = -1;
      int now = bytes.size();
      while (now != last || now == 0) {
        Thread.sleep(300);
        last = now;
        now = bytes.size();
      }
      return now;
    }

    @Override
    public void onHead(UpstreamResponseHead head) {}

    @Override
    public void onBytes(ByteBuffer source) {
      byte[] piece = new byte[source.remaining()];
      source.get(piece);
      bytes.writeBytes(piece);
      unpaused.addAndGet(piece.length);
      pieces.incrementAndGet();
    }

    @Override
    public void onPause() {
      pauses.incrementAndGet();
      unpaused.set(0);
    }

    @Override
    public void onEnd() {
      end = "end";
      ended.countDown();
    }

    @Override
    public void onFailure(UpstreamFailure failure) {
      end = failure.kind().toString();
      ended.countDown();
    }
  }
}
