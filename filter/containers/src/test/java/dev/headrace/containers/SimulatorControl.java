package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Lets tests in another process script the simulator and ask what it saw, over HTTP on loopback:
 *
 * <ul>
 *   <li>{@code POST /next?<name>} queues that answer of {@link SdkAnswers};
 *   <li>{@code POST /always?<name>} gives that answer from now on;
 *   <li>{@code POST /fault?<name>} lets that {@link RepeatedFault} happen from now on, and {@code
 *       POST /fault?<name>&<times>} in the first attempts only;
 *   <li>{@code POST /reset} forgets requests and scripts;
 *   <li>{@code POST /drain} lets the gateway take no more requests;
 *   <li>{@code POST /fresh?<fault>} puts a new gateway with a new simulator in place of the old
 *       ones, fit for that fault if one is named, and tells where they are;
 *   <li>{@code GET /seen} tells in JSON what the simulator saw and what the gateway still holds.
 * </ul>
 */
final class SimulatorControl implements AutoCloseable {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Starts what {@code /fresh} is asked for. */
  interface Starter {
    GatewayUnderTest start(CountedAttempts attempts, @Nullable RepeatedFault fault)
        throws Exception;
  }

  private final @Nullable Starter starter;
  private final HttpServer server;

  // Written by the one thread of the server only.
  private volatile @Nullable GatewayUnderTest headrace;
  private volatile CountedAttempts attempts = new CountedAttempts();

  /** Controls the simulator of a gateway that somebody else closes. */
  SimulatorControl(GatewayUnderTest headrace) throws IOException {
    this(headrace, null);
  }

  /** Controls gateways and simulators of its own; there is none before the first {@code /fresh}. */
  SimulatorControl(Starter starter) throws IOException {
    this(null, starter);
  }

  private SimulatorControl(@Nullable GatewayUnderTest headrace, @Nullable Starter starter)
      throws IOException {
    this.headrace = headrace;
    this.starter = starter;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/next", named(answer -> headrace().claude().answers(answer)));
    server.createContext("/always", named(answer -> headrace().claude().answersAlways(answer)));
    server.createContext("/fault", this::fault);
    server.createContext("/reset", this::reset);
    server.createContext("/drain", this::drain);
    server.createContext("/fresh", this::fresh);
    server.createContext("/seen", this::seen);
    server.start();
  }

  private GatewayUnderTest headrace() {
    return requireNonNull(headrace, "nothing is started: see /fresh");
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  private static HttpHandler named(Consumer<Answer> action) {
    return exchange -> {
      try {
        action.accept(SdkAnswers.named(exchange.getRequestURI().getQuery()));
        answer(exchange, 200, Map.of());
      } catch (IllegalArgumentException e) {
        answer(exchange, 404, Map.of("problem", String.valueOf(e.getMessage())));
      }
    };
  }

  private void fault(HttpExchange exchange) throws IOException {
    String[] nameAndTimes = exchange.getRequestURI().getQuery().split("&", 2);
    RepeatedFault fault = RepeatedFault.valueOf(nameAndTimes[0]);
    if (nameAndTimes.length == 1) {
      fault.happens(headrace().claude());
    } else {
      fault.happens(Integer.parseInt(nameAndTimes[1]), headrace().claude(), attempts);
    }
    answer(exchange, 200, Map.of());
  }

  private void drain(HttpExchange exchange) throws IOException {
    headrace().gateway().drain();
    answer(exchange, 200, Map.of());
  }

  private void fresh(HttpExchange exchange) throws IOException {
    String fault = exchange.getRequestURI().getQuery();
    closeOwn();
    attempts = new CountedAttempts();
    try {
      headrace =
          requireNonNull(starter, "starter")
              .start(attempts, fault == null ? null : RepeatedFault.valueOf(fault));
    } catch (Exception e) {
      answer(exchange, 500, Map.of("problem", e.toString()));
      return;
    }
    answer(
        exchange,
        200,
        Map.of(
            "gateway", headrace().baseUrl().toString(),
            "simulator", headrace().claude().baseUrl().toString()));
  }

  private void closeOwn() {
    GatewayUnderTest old = headrace;
    if (starter != null && old != null) {
      old.close();
    }
  }

  private void reset(HttpExchange exchange) throws IOException {
    headrace().claude().reset();
    answer(exchange, 200, Map.of());
  }

  private void seen(HttpExchange exchange) throws IOException {
    List<Map<String, Object>> requests = new ArrayList<>();
    for (SeenRequest request : headrace().claude().requests()) {
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
            "attempts", attempts.count(),
            "exchanges",
                headrace().gateway().outcomes().values().stream().mapToLong(each -> each).sum(),
            "permitsInUse", headrace().gateway().permitsInUse(),
            "upstreamConnectionsInUse", headrace().gateway().upstreamConnectionsInUse()));
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
    closeOwn();
  }
}
