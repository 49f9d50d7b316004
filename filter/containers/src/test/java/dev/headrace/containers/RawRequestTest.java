package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.SeenRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Requests that are framed or written in an ambiguous way, as bytes on the wire. What a container
 * lets through differs; whatever it is, the API gets one well-framed request with exactly the body
 * that the container has read, or nothing.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class RawRequestTest extends GatewayContract {

  private static final String PATH = "/claude/v1/messages";
  private static final String SMUGGLED =
      "POST /claude/v1/messages HTTP/1.1\r\nHost: evil\r\nContent-Length: 0\r\n\r\n";

  RawRequestTest(ContainerKind kind) {
    super(kind);
  }

  private static String request(String headers, String body) {
    return "POST " + PATH + " HTTP/1.1\r\n" + headers + "\r\n" + body;
  }

  private static Map<String, String> table() {
    String body = STREAMING;
    int length = body.getBytes(UTF_8).length;
    String usual = "Host: h\r\nContent-Type: application/json\r\nanthropic-version: 2026-10-21\r\n";
    String chunked = Integer.toHexString(length) + "\r\n" + body + "\r\n0\r\n\r\n";
    Map<String, String> table = new LinkedHashMap<>();
    table.put(
        "Content-Length and Transfer-Encoding",
        request(
            usual + "Content-Length: " + length + "\r\nTransfer-Encoding: chunked\r\n", chunked));
    table.put(
        "Content-Length that ends before a second request",
        request(
            usual + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + SMUGGLED));
    table.put(
        "two different Content-Lengths",
        request(usual + "Content-Length: " + length + "\r\nContent-Length: 3\r\n", body));
    table.put(
        "Content-Length with a list",
        request(usual + "Content-Length: " + length + ", " + length + "\r\n", body));
    table.put(
        "Content-Length with a sign", request(usual + "Content-Length: +" + length + "\r\n", body));
    table.put("negative Content-Length", request(usual + "Content-Length: -1\r\n", body));
    table.put(
        "unknown transfer coding", request(usual + "Transfer-Encoding: xchunked\r\n", chunked));
    table.put(
        "transfer coding behind chunked",
        request(usual + "Transfer-Encoding: chunked, identity\r\n", chunked));
    table.put(
        "two Transfer-Encodings",
        request(usual + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunked));
    table.put(
        "space before the colon", request(usual + "Content-Length : " + length + "\r\n", body));
    table.put(
        "folded header line",
        request(usual + "x-one: a\r\n b\r\nContent-Length: " + length + "\r\n", body));
    table.put(
        "bare LF line ends",
        request(usual + "Content-Length: " + length + "\r\n", body).replace("\r\n", "\n"));
    table.put(
        "no Host",
        request(usual.replace("Host: h\r\n", "") + "Content-Length: " + length + "\r\n", body));
    table.put(
        "two Hosts",
        request("Host: other\r\n" + usual + "Content-Length: " + length + "\r\n", body));
    table.put(
        "absolute form with another host",
        request(usual + "Content-Length: " + length + "\r\n", body)
            .replace("POST /", "POST http://elsewhere.example/"));
    table.put(
        "NUL in a header value",
        request(usual + "x-one: a\0b\r\nContent-Length: " + length + "\r\n", body));
    table.put(
        "CR in a header value",
        request(usual + "x-one: a\rb: c\r\nContent-Length: " + length + "\r\n", body));
    table.put(
        "header that names itself hop-by-hop",
        request(
            usual + "Connection: anthropic-version, close\r\nContent-Length: " + length + "\r\n",
            body));
    table.put(
        "chunk size with an extension",
        request(
            usual + "Transfer-Encoding: chunked\r\n",
            Integer.toHexString(length) + ";a=b\r\n" + body + "\r\n0\r\n\r\n"));
    table.put(
        "chunk size that overflows",
        request(
            usual + "Transfer-Encoding: chunked\r\n",
            "FFFFFFFFFFFFFFFF1\r\n" + body + "\r\n0\r\n\r\n"));
    table.put(
        "trailer that looks like a header",
        request(
            usual + "Transfer-Encoding: chunked\r\n",
            Integer.toHexString(length) + "\r\n" + body + "\r\n0\r\nx-api-key: stolen\r\n\r\n"));
    for (String path :
        List.of(
            "/claude/v1%2Fmessages",
            "/claude/v1/%6dessages",
            "/claude/x/../v1/messages",
            "/claude/x/%2e%2e/v1/messages",
            "/claude/..;/claude/v1/messages",
            "/claude//v1/messages",
            "/claude/v1/messages;v=1",
            "/claude/v1/messages%00",
            "/claude/v1/messages%0d%0aX: y",
            "/claude/v1/messages/",
            "/claude/v1\\messages")) {
      table.put(
          "path " + path,
          request(usual + "Content-Length: " + length + "\r\n", body)
              .replace(PATH + " ", path + " "));
    }
    return table;
  }

  @Test
  void nothingAmbiguousReachesTheApi() throws Exception {
    GatewayUnderTest headrace = start();
    List<String> passed = new ArrayList<>();
    for (Map.Entry<String, String> row : table().entrySet()) {
      int before = headrace.claude().attempts();
      String answer = exchange(headrace.port(), row.getValue());
      int asked = headrace.claude().attempts() - before;
      if (asked == 0) {
        assertThat(answer).as(row.getKey()).doesNotContain(" 200 ");
      } else {
        passed.add(row.getKey());
        assertThat(asked).as("%s: requests to the API", row.getKey()).isEqualTo(1);
        assertIsClean(row.getKey(), headrace.claude().lastRequest());
      }
    }
    Figures.note(kind(), "odd requests that the container makes sense of", passed.toString());
    assertThat(passed)
        .as("ambiguous framing and roundabout paths")
        .noneMatch(name -> name.startsWith("path "))
        .doesNotContain(
            "two different Content-Lengths",
            "negative Content-Length",
            "unknown transfer coding",
            "space before the colon",
            "chunk size that overflows",
            "no Host");
    assertThat(post(headrace, STREAMING).status()).isEqualTo(200); // and it goes on
  }

  private static void assertIsClean(String name, SeenRequest seen) {
    assertThat(seen.path()).as(name).isEqualTo("/v1/messages");
    assertThat(seen.bodyText()).as(name).isEqualTo(STREAMING);
    assertThat(seen.header("content-length"))
        .as(name)
        .hasValue(Integer.toString(STREAMING.getBytes(UTF_8).length));
    assertThat(seen.header("transfer-encoding")).as(name).isEmpty();
    assertThat(seen.header("host")).as(name).isPresent();
    assertThat(seen.header("host").orElseThrow()).as(name).startsWith("127.0.0.1");
    assertThat(seen.header("x-one")).as(name).isEmpty();
    assertThat(seen.header("x-api-key")).as(name).hasValue(KEY);
  }

  /** Sends the bytes and reads until the server closes or is silent for a moment. */
  private static String exchange(int port, String request) throws IOException {
    StringBuilder answer = new StringBuilder();
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(400);
      socket.getOutputStream().write(request.getBytes(ISO_8859_1));
      byte[] buffer = new byte[8192];
      int count;
      while ((count = socket.getInputStream().read(buffer)) > 0) {
        answer.append(new String(buffer, 0, count, ISO_8859_1));
      }
    } catch (SocketTimeoutException e) {
      answer.append(" (silence)");
    } catch (IOException e) {
      answer.append(" (").append(e.getMessage()).append(')');
    }
    return answer.toString();
  }
}
