package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.Gateway;
import dev.headrace.GatewayServlet;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.simulator.ClaudeSimulator;
import io.undertow.Undertow;
import io.undertow.servlet.Servlets;
import io.undertow.servlet.api.DeploymentManager;
import io.undertow.servlet.util.ImmediateInstanceFactory;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Behind Apache httpd with {@code mod_proxy_ajp}: AJP frames answers in a way of its own, and a
 * header that speaks of chunks would go on to a client that gets none.
 */
final class AjpInUndertowTest {

  private static final int POST = 4;
  private static final int SEND_BODY_CHUNK = 3;
  private static final int SEND_HEADERS = 4;
  private static final int END_RESPONSE = 5;

  private final ClaudeSimulator claude = ClaudeSimulator.start();
  private final Gateway gateway =
      Gateway.start(
          GatewaySettings.builder()
              .upstreamBaseUrl(claude.baseUrl())
              .upstreamApiKey(Secret.of("sk-test"))
              .build());
  private final DeploymentManager application;
  private final Undertow server;

  AjpInUndertowTest() throws Exception {
    Filter closing =
        (request, response, chain) -> {
          if (request.getParameter("close") != null) {
            ((HttpServletResponse) response).setHeader("Connection", "close");
          }
          chain.doFilter(request, response);
        };
    application =
        Servlets.defaultContainer()
            .addDeployment(
                Servlets.deployment()
                    .setClassLoader(getClass().getClassLoader())
                    .setContextPath("/")
                    .setDeploymentName("headrace")
                    .addFilter(
                        Servlets.filter(
                                "closing", Filter.class, new ImmediateInstanceFactory<>(closing))
                            .setAsyncSupported(true))
                    .addFilterUrlMapping("closing", "/*", DispatcherType.REQUEST)
                    .addServlet(
                        Servlets.servlet(
                                "claude",
                                GatewayServlet.class,
                                new ImmediateInstanceFactory<>(new GatewayServlet(gateway)))
                            .addMapping("/claude/*")
                            .setAsyncSupported(true)));
    application.deploy();
    server =
        Undertow.builder().addAjpListener(0, "127.0.0.1").setHandler(application.start()).build();
    server.start();
  }

  @AfterEach
  void stop() throws Exception {
    server.stop();
    application.stop();
    gateway.close();
    claude.close();
  }

  private record Answer(int status, List<String> headers, String body) {}

  @ParameterizedTest
  @ValueSource(strings = {"the client says close", "a filter says close", "nobody says anything"})
  @Timeout(60)
  void nothingIsSaidOfChunks(String who) throws Exception {
    Answer answer = ask(who.startsWith("the client"), who.startsWith("a filter") ? "close=1" : "");
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.headers()).contains("content-type").doesNotContain("transfer-encoding");
    assertThat(answer.body())
        .startsWith("event: message_start")
        .contains("event: message_stop\ndata: {\"type\":\"message_stop\"")
        .endsWith("}\n\n");
  }

  private Answer ask(boolean close, String query) throws IOException {
    InetSocketAddress address =
        (InetSocketAddress) requireNonNull(server.getListenerInfo().get(0).getAddress());
    try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      byte[] body = GatewayContract.STREAMING.getBytes(UTF_8);
      send(out, forwardRequest(body.length, close, query));
      ByteArrayOutputStream piece = new ByteArrayOutputStream();
      new DataOutputStream(piece).writeShort(body.length);
      piece.write(body);
      send(out, piece.toByteArray());
      return answer(new DataInputStream(socket.getInputStream()));
    }
  }

  private static void send(DataOutputStream out, byte[] packet) throws IOException {
    out.writeShort(0x1234);
    out.writeShort(packet.length);
    out.write(packet);
    out.flush();
  }

  private static byte[] forwardRequest(int bodyLength, boolean close, String query)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream packet = new DataOutputStream(bytes);
    packet.writeByte(2);
    packet.writeByte(POST);
    for (String text :
        List.of("HTTP/1.1", "/claude/v1/messages", "127.0.0.1", "127.0.0.1", "localhost")) {
      string(packet, text);
    }
    packet.writeShort(80);
    packet.writeBoolean(false);
    List<String> headers =
        new ArrayList<>(
            List.of("host", "localhost", "content-type", "application/json", "content-length"));
    headers.add(Integer.toString(bodyLength));
    headers.addAll(List.of("anthropic-version", "2026-10-21"));
    if (close) {
      headers.addAll(List.of("connection", "close"));
    }
    packet.writeShort(headers.size() / 2);
    for (String text : headers) {
      string(packet, text);
    }
    packet.writeByte(5); // the query
    string(packet, query);
    packet.writeByte(0xFF);
    return bytes.toByteArray();
  }

  private static void string(DataOutputStream packet, String text) throws IOException {
    byte[] bytes = text.getBytes(UTF_8);
    packet.writeShort(bytes.length);
    packet.write(bytes);
    packet.writeByte(0);
  }

  private static Answer answer(DataInputStream in) throws IOException {
    int status = 0;
    List<String> headers = new ArrayList<>();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    while (true) {
      assertThat(in.readUnsignedShort()).isEqualTo('A' << 8 | 'B');
      int length = in.readUnsignedShort();
      int type = in.readUnsignedByte();
      if (type == SEND_HEADERS) {
        status = in.readUnsignedShort();
        text(in, in.readUnsignedShort());
        for (int left = in.readUnsignedShort(); left > 0; left--) {
          headers.add(headerName(in));
          text(in, in.readUnsignedShort());
        }
      } else if (type == SEND_BODY_CHUNK) {
        int size = in.readUnsignedShort();
        body.write(in.readNBytes(size));
        in.skipNBytes(length - 3L - size);
      } else if (type == END_RESPONSE) {
        return new Answer(status, headers, body.toString(UTF_8));
      } else {
        in.skipNBytes(length - 1L); // more of the body is wanted, as if there were any
      }
    }
  }

  private static String headerName(DataInputStream in) throws IOException {
    int code = in.readUnsignedShort();
    if (code >> 8 != 0xA0) {
      return text(in, code).toLowerCase(Locale.ROOT);
    }
    return code == 0xA001 ? "content-type" : "code " + code;
  }

  private static String text(DataInputStream in, int length) throws IOException {
    String text = new String(in.readNBytes(length), UTF_8);
    in.skipNBytes(1);
    return text;
  }
}
