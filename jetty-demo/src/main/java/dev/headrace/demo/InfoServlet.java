package dev.headrace.demo;

import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Answers {@code /demo/config.json}, from which the page is set up, and with a simulated Claude
 * {@code /demo/simulator.json}: what Claude saw, for whoever wants to check that a stop in the
 * browser reaches it. Thread-safe.
 */
final class InfoServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;

  private final transient byte[] pageConfig;
  private final transient @Nullable ClaudeSimulator simulator;

  InfoServlet(byte[] pageConfig, @Nullable ClaudeSimulator simulator) {
    this.pageConfig = pageConfig;
    this.simulator = simulator;
  }

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    PageServlet.addSecurityHeaders(response);
    response.setHeader("Cache-Control", "no-store");
    ClaudeSimulator claude = simulator;
    switch (request.getRequestURI()) {
      case "/demo/config.json" -> send(response, pageConfig);
      case "/demo/simulator.json" -> {
        if (claude == null) {
          response.setStatus(HttpServletResponse.SC_NOT_FOUND);
        } else {
          send(response, statusOf(claude).getBytes(StandardCharsets.UTF_8));
        }
      }
      default -> response.setStatus(HttpServletResponse.SC_NOT_FOUND);
    }
  }

  /** The count of clients that left covers the requests that the simulator still remembers. */
  private static String statusOf(ClaudeSimulator claude) {
    return "{\"attempts\":%d,\"openStreams\":%d,\"clientGone\":%d}"
        .formatted(
            claude.attempts(),
            claude.openStreams(),
            claude.requests().stream().filter(SeenRequest::clientGone).count());
  }

  private static void send(HttpServletResponse response, byte[] json) throws IOException {
    response.setContentType("application/json");
    response.setContentLength(json.length);
    response.getOutputStream().write(json);
  }
}
