package dev.headrace.relay;

import dev.headrace.admission.Permit;
import dev.headrace.admission.StreamLimit;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.messages.ApiError;
import dev.headrace.upstream.ApacheUpstreamClient;
import dev.headrace.upstream.HeaderField;
import dev.headrace.upstream.UpstreamClient;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes client requests in and makes an {@link Exchange} of each. Holds what all exchanges share.
 * Thread-safe.
 */
public final class Relay implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

  /** Tells Spring's ShallowEtagHeaderFilter not to collect the answer. */
  private static final String ETAG_FILTER_STREAMING =
      "org.springframework.web.filter.ShallowEtagHeaderFilter.STREAMING";

  /** How long clients get to take the last event when the gateway closes. */
  private static final Duration LAST_EVENTS = Duration.ofSeconds(2);

  private final GatewaySettings settings;
  private final Supplier<Secret> apiKey;
  private final LongSupplier nanoTime;
  private final Routes routes;
  private final Clocks clocks;
  private final UpstreamHeaders upstreamHeaders;
  private final StreamLimit streams;
  private final UpstreamClient upstream;
  private final Exchanges exchanges;
  private final AtomicBoolean draining = new AtomicBoolean();
  private final AtomicBoolean toldAboutAsync = new AtomicBoolean();

  /** Starts the upstream client and the clocks. */
  public Relay(GatewaySettings settings) {
    this(settings, new ApacheUpstreamClient(settings), System::nanoTime);
  }

  Relay(GatewaySettings settings, UpstreamClient upstream, LongSupplier nanoTime) {
    this.settings = settings;
    this.apiKey = apiKeyOf(settings.upstream());
    this.upstream = upstream;
    this.nanoTime = nanoTime;
    this.clocks = new Clocks(settings);
    List<Endpoint> endpoints = new ArrayList<>(Endpoint.STANDARD);
    settings.request().extraEndpoints().stream().map(Endpoint::of).forEach(endpoints::add);
    String basePath = settings.upstream().baseUrl().getRawPath();
    this.routes = new Routes(endpoints, basePath == null ? "" : basePath);
    this.upstreamHeaders = new UpstreamHeaders(settings.upstream().forwardHeaders());
    this.streams = new StreamLimit(settings.upstream().maxConnections());
    this.exchanges = new Exchanges(nanoTime, upstream::closeExpired);
  }

  /**
   * Answers one request, later and on other threads as a rule.
   *
   * @param path the raw path behind the mount, beginning with a slash
   * @throws IOException if an answer that could be given at once cannot be written
   */
  public void handle(HttpServletRequest request, HttpServletResponse response, String path)
      throws IOException {
    Route route = routes.find(request.getMethod(), path, request.getQueryString());
    if (route instanceof Route.Upstream upstreamRoute) {
      forward(request, response, upstreamRoute);
    } else if (route instanceof Route.Refused refused) {
      if (refused.allow() != null) {
        response.setHeader("Allow", refused.allow());
      }
      answerNow(response, refused.error());
    } else {
      response.setStatus(HttpServletResponse.SC_OK);
    }
  }

  private void forward(
      HttpServletRequest request, HttpServletResponse response, Route.Upstream route)
      throws IOException {
    if (draining.get()) {
      response.setHeader("Retry-After", "5");
      closeAfterwards(request, response);
      answerNow(response, error(503, "api_error", "The gateway is shutting down."));
      return;
    }
    long maxBody = settings.request().maxBody().bytes();
    if (request.getContentLengthLong() > maxBody) {
      closeAfterwards(request, response); // the container would read megabytes only to drop them
      answerNow(
          response,
          error(
              413,
              "request_too_large",
              "The request body is larger than this gateway takes: "
                  + settings.request().maxBody()
                  + " (request.max-body)."));
      return;
    }
    if (!request.isAsyncSupported()) {
      tellAboutAsync(request);
      answerNow(
          response,
          error(
              500,
              "api_error",
              "The gateway cannot stream here: asynchronous requests are switched off for it or for"
                  + " a filter in front of it. The server's log says what to change."));
      return;
    }
    Permit permit = streams.tryAcquire();
    if (permit == null) {
      response.setHeader("Retry-After", "1");
      answerNow(
          response,
          error(
              503,
              "overloaded_error",
              "The gateway already runs as many requests as it may (upstream.max-connections)."));
      return;
    }
    start(request, response, route, permit);
  }

  private void start(
      HttpServletRequest request, HttpServletResponse response, Route.Upstream route, Permit permit)
      throws IOException {
    Exchange exchange;
    AsyncContext async;
    try {
      exchange = new Exchange(newId(), this, route, upstreamHeaders.of(request), permit);
      request.setAttribute(ETAG_FILTER_STREAMING, true);
      async = request.startAsync(request, response);
      async.setTimeout(0); // our clocks; a container's default is 30 s
    } catch (RuntimeException e) {
      permit.release();
      throw e;
    }
    try {
      AsyncClientStream client =
          new AsyncClientStream(async, request, response, exchange, nanoTime);
      exchange.answersTo(client);
      exchanges.add(exchange); // only now, since the clocks ask the client stream
      client.start();
      if (route.endpoint().method().equals("POST")) {
        RequestBody body =
            new RequestBody(
                request.getInputStream(),
                request.getContentLengthLong(),
                settings.request().maxBody().bytes(),
                exchange);
        request.getInputStream().setReadListener(body);
      } else {
        exchange.attempt(null, 0);
      }
    } catch (IOException | RuntimeException e) {
      LOG.error("Exchange {}: the container did not let it start", exchange.id(), e);
      exchange.fail("not started");
      async.complete();
    }
  }

  private void tellAboutAsync(HttpServletRequest request) {
    if (toldAboutAsync.compareAndSet(false, true)) {
      LOG.error(
          "Async is off for {}: add <async-supported>true</async-supported> in web.xml for the"
              + " gateway's servlet or filter, and for every filter before it. Filters of this"
              + " application: {}",
          request.getServletPath(),
          request.getServletContext().getFilterRegistrations().keySet());
    }
  }

  /** Answers before the request became asynchronous. */
  private static void answerNow(HttpServletResponse response, ApiError error) throws IOException {
    byte[] json = error.json();
    response.setStatus(error.status());
    response.setContentType("application/json");
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setContentLength(json.length);
    response.getOutputStream().write(json);
  }

  private static void closeAfterwards(HttpServletRequest request, HttpServletResponse response) {
    if (request.getProtocol().startsWith("HTTP/1")) {
      response.setHeader("Connection", "close"); // HTTP/2 knows no such header (RFC 9113, 8.2.2)
    }
  }

  private static ApiError error(int status, String type, String message) {
    return new ApiError(status, type, message, null);
  }

  private static String newId() {
    return String.format(Locale.ROOT, "%016x", ThreadLocalRandom.current().nextLong());
  }

  /** A source of the application's is asked for every call; a key of the settings is read once. */
  private static Supplier<Secret> apiKeyOf(GatewaySettings.Upstream upstreamSettings) {
    Supplier<Secret> source = upstreamSettings.apiKeySource();
    if (source != null) {
      return source;
    }
    Secret key = upstreamSettings.readApiKey();
    return () -> key;
  }

  // ---- for exchanges ----

  GatewaySettings settings() {
    return settings;
  }

  Clocks clocks() {
    return clocks;
  }

  UpstreamClient upstream() {
    return upstream;
  }

  long nanoTime() {
    return nanoTime.getAsLong();
  }

  /** The header that authenticates the gateway at the upstream. */
  List<HeaderField> credentials() {
    return List.of(new HeaderField("x-api-key", apiKey.get().reveal()));
  }

  void ended(Exchange exchange) {
    exchanges.remove(exchange);
  }

  // ---- for operators and tests ----

  /** How many exchanges run now. */
  public int runningExchanges() {
    return exchanges.count();
  }

  /** How many permits are taken now. */
  public int permitsInUse() {
    return streams.inUse();
  }

  /** How many upstream connections are in use now. */
  public int upstreamConnectionsInUse() {
    return upstream.connectionsInUse();
  }

  /**
   * Refuses new exchanges, lets the running ones end within {@code shutdown.drain}, ends the rest
   * with an error event, and stops every thread and connection. Idempotent; waits on the calling
   * thread.
   */
  @Override
  public void close() {
    if (!draining.compareAndSet(false, true)) {
      return;
    }
    try {
      if (!exchanges.awaitNone(settings.shutdown().drain())) {
        LOG.info("Ending {} exchanges that still run after shutdown.drain", exchanges.count());
        endTheRest();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      exchanges.shutDownAll();
    } finally {
      exchanges.close();
      upstream.close();
    }
  }

  private void endTheRest() throws InterruptedException {
    Duration step = Duration.ofMillis(50);
    Duration waited = Duration.ZERO;
    do {
      exchanges.shutDownAll();
      waited = waited.plus(step);
    } while (!exchanges.awaitNone(step) && waited.compareTo(LAST_EVENTS) < 0);
  }

  /** Tells whether a request is the one by which a connection is to be dropped. */
  public static boolean isAbort(@Nullable Object attribute) {
    return Boolean.TRUE.equals(attribute);
  }

  /** The request attribute that {@link #isAbort} looks at. */
  public static String abortAttribute() {
    return AsyncClientStream.ABORT_ATTRIBUTE;
  }
}
