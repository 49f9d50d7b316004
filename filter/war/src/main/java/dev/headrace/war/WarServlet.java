package dev.headrace.war;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.headrace.Gateway;
import dev.headrace.messages.ApiError;
import dev.headrace.relay.RawPath;
import dev.headrace.relay.Relay;
import jakarta.servlet.ServletConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Answers everything in the web application: the status page at its root, {@code ops/ready} and
 * {@code ops/metrics} below it, and the gateway under its mount, which is the root itself unless
 * the settings say otherwise. Without a usable settings file all but the page is answered with 503,
 * and nothing is ever forwarded. Thread-safe.
 */
public final class WarServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;
  private static final String READY = "/ops/ready";
  private static final String METRICS = "/ops/metrics";

  private transient @Nullable Deployment deployment;

  /** For the container. */
  public WarServlet() {}

  @Override
  public void init(ServletConfig config) throws ServletException {
    super.init(config);
    deployment = Deployment.start(config.getServletContext());
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
    Deployment current = requireNonNull(deployment, "used before init()");
    String context = request.getContextPath();
    String uri = RawPath.of(request);
    if (!uri.startsWith(context)) {
      error(response, 404, "Nothing is here. The path of the gateway was written in another way.");
      return;
    }
    String path = uri.substring(context.length());
    boolean get = request.getMethod().equals("GET") || request.getMethod().equals("HEAD");
    Gateway gateway = current.gateway();
    if (get && path.isEmpty()) {
      response.setStatus(302);
      response.setHeader("Location", request.getRequestURI() + "/"); // the page's links start there
    } else if (get && path.equals("/")) {
      page(current, request, response);
    } else if (gateway == null) {
      refuse(current.state(), path, request, response);
    } else if (get && path.equals(METRICS)) {
      metrics(gateway, requireNonNull(current.metrics()), request, response);
    } else {
      String prefix = path.equals(READY) ? context : context + Deployment.mountOf(gateway);
      if (!gateway.handle(request, response, prefix)) {
        error(response, 404, "Nothing is here. The gateway's paths begin with " + prefix + "/.");
      }
    }
  }

  private static void page(
      Deployment current, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    StatusPage page = StatusPage.of(current, request);
    response.setHeader("Content-Security-Policy", StatusPage.CONTENT_SECURITY_POLICY);
    response.setHeader("Referrer-Policy", "no-referrer");
    write(response, page.status(), "text/html;charset=utf-8", page.html().getBytes(UTF_8));
  }

  private static void metrics(
      Gateway gateway,
      PrometheusMetrics metrics,
      HttpServletRequest request,
      HttpServletResponse response)
      throws IOException {
    if (!gateway.mayReadMetrics(request)) {
      error(response, 403, "The metrics are for the addresses that metrics.addresses lists.");
      return;
    }
    write(response, 200, PrometheusMetrics.CONTENT_TYPE, metrics.text().getBytes(UTF_8));
  }

  private static void refuse(
      Deployment.State state, String path, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    if (path.equals(READY)) {
      String status = state.name().toLowerCase(Locale.ROOT).replace('_', ' ');
      byte[] json = ("{\"status\":\"" + status + "\"}").getBytes(UTF_8);
      write(response, 503, "application/json", json);
      return;
    }
    Relay.refuse(request, response, apiError(503, state.message()));
  }

  private static void error(HttpServletResponse response, int status, String message)
      throws IOException {
    write(response, status, "application/json", apiError(status, message).json());
  }

  private static ApiError apiError(int status, String message) {
    return new ApiError(status, ApiError.typeOf(status), message, null);
  }

  private static void write(
      HttpServletResponse response, int status, String contentType, byte[] body)
      throws IOException {
    response.setStatus(status);
    response.setContentType(contentType);
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }

  @Override
  public void destroy() {
    try {
      if (deployment != null) {
        deployment.close();
      }
    } finally {
      Logging.stop(getServletContext());
    }
  }
}
