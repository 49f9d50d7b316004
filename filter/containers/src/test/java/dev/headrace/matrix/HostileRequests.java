package dev.headrace.matrix;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Requests that are framed or written in an ambiguous way, as bytes on the wire. */
final class HostileRequests {

  private static final String PATH = Context.OPEN.messages();

  private static final String USUAL =
      "Host: h\r\nContent-Type: application/json\r\nanthropic-version: 2026-10-21\r\n";

  private HostileRequests() {}

  /** Framed in an ambiguous way, by a description: refused, or understood in one way alone. */
  static Map<String, String> framings(String body) {
    int length = body.getBytes(UTF_8).length;
    String chunked = Integer.toHexString(length) + "\r\n" + body + "\r\n0\r\n\r\n";
    String framed = USUAL + "Content-Length: " + length + "\r\n";
    Map<String, String> table = new LinkedHashMap<>();
    table.put(
        "Content-Length and Transfer-Encoding",
        request(framed + "Transfer-Encoding: chunked\r\n", chunked));
    table.put(
        "Content-Length that ends before a second request",
        request(
            USUAL + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\nPOST " + PATH + " HTTP/1.1\r\nHost: evil\r\nContent-Length: 0\r\n\r\n"));
    table.put(
        "unknown transfer coding", request(USUAL + "Transfer-Encoding: xchunked\r\n", chunked));
    table.put(
        "absolute form with another host",
        request(framed, body).replace("POST /", "POST http://elsewhere.example/"));
    table.put(
        "folded header line",
        request(USUAL + "x-one: a\r\n b\r\nContent-Length: " + length + "\r\n", body));
    table.put(
        "trailer that looks like a header",
        request(
            USUAL + "Transfer-Encoding: chunked\r\n",
            Integer.toHexString(length) + "\r\n" + body + "\r\n0\r\nx-api-key: stolen\r\n\r\n"));
    table.put(
        "header that names itself hop-by-hop",
        request(framed + "Connection: anthropic-version, close\r\n", body));
    return table;
  }

  /** To a path that is written in a roundabout way, by that path: always refused. */
  static Map<String, String> paths(String body) {
    String framed = USUAL + "Content-Length: " + body.getBytes(UTF_8).length + "\r\n";
    Map<String, String> table = new LinkedHashMap<>();
    for (String path :
        List.of(
            "/claude/v1%2Fmessages",
            "/claude/v1/%6dessages",
            "/claude/x/../v1/messages",
            "/claude/x/%2e%2e/v1/messages",
            "/claude/x/%2e%2e%2fv1/messages",
            "/claude/..;/claude/v1/messages",
            "/claude//v1/messages",
            "/claude/v1/messages;v=1",
            "/claude/v1/messages%00",
            "/claude/v1/messages%0d%0aX: y",
            "/claude/v1/messages%252Fbatches",
            "/claude/v1/messages/",
            "/claude/v1\\messages",
            "/%63laude/v1/messages",
            "/beat/..;/claude/v1/messages")) {
      table.put(path, request(framed, body).replace(PATH + " ", path + " "));
    }
    return table;
  }

  private static String request(String headers, String body) {
    return "POST " + PATH + " HTTP/1.1\r\n" + headers + "\r\n" + body;
  }

  /**
   * Sends the bytes and reads until the server closes or, once it has said something, is silent.
   */
  static String send(int port, String request) throws IOException {
    StringBuilder answer = new StringBuilder();
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(3_000);
      socket.getOutputStream().write(request.getBytes(ISO_8859_1));
      byte[] buffer = new byte[8192];
      int count;
      while ((count = socket.getInputStream().read(buffer)) > 0) {
        answer.append(new String(buffer, 0, count, ISO_8859_1));
        socket.setSoTimeout(300);
      }
    } catch (SocketTimeoutException e) {
      answer.append(" (silence)");
    } catch (IOException e) {
      answer.append(" (").append(e.getMessage()).append(')');
    }
    return answer.toString();
  }
}
