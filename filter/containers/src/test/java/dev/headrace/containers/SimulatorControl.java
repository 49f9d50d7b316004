package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.headrace.simulator.SeenRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Lets tests in another process script the simulator and ask what it saw, over HTTP on loopback:
 *
 * <ul>
 *   <li>{@code POST /next?<name>} queues that answer of {@link SdkAnswers};
 *   <li>{@code POST /reset} forgets requests and scripts;
 *   <li>{@code GET /seen} tells in JSON what the simulator saw and what the gateway still holds.
 * </ul>
 */
final class SimulatorControl implements AutoCloseable {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final GatewayUnderTest headrace;
  private final HttpServer server;

  SimulatorControl(GatewayUnderTest headrace) throws IOException {
    this.headrace = headrace;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/next", this::next);
    server.createContext("/reset", this::reset);
    server.createContext("/seen", this::seen);
    server.start();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  private void next(HttpExchange exchange) throws IOException {
    try {
      headrace.claude().answers(SdkAnswers.named(exchange.getRequestURI().getQuery()));
      answer(exchange, 200, Map.of());
    } catch (IllegalArgumentException e) {
      answer(exchange, 404, Map.of("problem", String.valueOf(e.getMessage())));
    }
  }

  private void reset(HttpExchange exchange) throws IOException {
    headrace.claude().reset();
    answer(exchange, 200, Map.of());
  }

  private void seen(HttpExchange exchange) throws IOException {
    List<Map<String, Object>> requests = new ArrayList<>();
    for (SeenRequest request : headrace.claude().requests()) {
      Map<String, Object> seen = new LinkedHashMap<>();
      seen.put("path", request.path());
      seen.put("query", request.query());
      seen.put("headers", request.headers());
      seen.put("body", request.bodyText());
      seen.put("requestId", request.requestId());
      seen.put("clientGone", request.clientGone());
      requests.add(seen);
    }
    answer(
        exchange,
        200,
        Map.of(
            "requests", requests,
            "permitsInUse", headrace.gateway().permitsInUse(),
            "upstreamConnectionsInUse", headrace.gateway().upstreamConnectionsInUse()));
  }

  private static void answer(HttpExchange exchange, int status, Object json) throws IOException {
    byte[] body = JSON.writeValueAsString(json).getBytes(UTF_8);
    try (exchange) {
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
