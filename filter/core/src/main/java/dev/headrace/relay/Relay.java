package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import dev.headrace.admission.Limits;
import dev.headrace.admission.Permit;
import dev.headrace.admission.StreamLimit;
import dev.headrace.chain.FiltersInFront;
import dev.headrace.chain.Finding;
import dev.headrace.chain.WrappedResponse;
import dev.headrace.chain.Wrappers;
import dev.headrace.config.GatewaySettings;
import dev.headrace.identity.CrossSite;
import dev.headrace.messages.ApiError;
import dev.headrace.messages.MessageUsage;
import dev.headrace.messages.UsageView;
import dev.headrace.observe.BestEffort;
import dev.headrace.observe.Outcome;
import dev.headrace.observe.Statistics;
import dev.headrace.output.Format;
import dev.headrace.output.SimpleTranslation;
import dev.headrace.output.TextTranslation;
import dev.headrace.output.Translation;
import dev.headrace.spi.StreamListener;
import dev.headrace.spi.Tokens;
import dev.headrace.spi.UserResolver;
import dev.headrace.upstream.TimeSource;
import dev.headrace.upstream.UpstreamPool;
import dev.headrace.usage.Ledger;
import dev.headrace.usage.PriceTable;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
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

  private static final String JSON = "application/json";

  /** Tells Spring's ShallowEtagHeaderFilter not to collect the answer. */
  private static final String ETAG_FILTER_STREAMING =
      "org.springframework.web.filter.ShallowEtagHeaderFilter.STREAMING";

  /**
   * Most requests at the door, at least: with few upstream connections one user's refused requests
   * would otherwise shut out everybody else.
   */
  private static final int FEWEST_RECEIVED = 1000;

  /** In so many seconds a client may ask again: another server, or this one. */
  static final String AFTER_RESTART = "5";

  /** What all threads, connections and sinks take at most to end, one behind the other. */
  private static final Duration CLOSING = Duration.ofSeconds(40);

  /** How long clients get to take the last event when the gateway closes. */
  private static final Duration LAST_EVENTS = Duration.ofSeconds(2);

  private final GatewaySettings settings;
  private final LongSupplier nanoTime;
  private final InstantSource wall;
  private final Routes routes;
  private final Clocks clocks;
  private final UpstreamHeaders upstreamHeaders;

  /** Of all requests, those included whose body is being read or that wait for their turn. */
  private final StreamLimit received;

  private final int places; // of those

  /** Of those that ask the upstream, so that none waits in its pool. */
  private final StreamLimit streams;

  private final @Nullable StreamLimit blockingStreams;
  private final StreamingChecks streamingChecks;
  private final UpstreamPool upstreams;
  private final Exchanges exchanges;
  private volatile @Nullable Admittance door; // set once, before any request
  private final Listeners listeners;
  private final Containers containers = new Containers();
  private final BodyMemory bodyMemory;
  private final Writers writers;
  private final UsageBook book;
  private final Ledger ledger;
  private final PriceTable prices;
  private final Reports reports;
  private final Statistics statistics = new Statistics();
  private final Wrappers wrappers = new Wrappers(finding -> statistics.heldBack(finding.kind()));
  private final AtomicBoolean draining = new AtomicBoolean();
  private final AtomicReference<@Nullable Thread> closing = new AtomicReference<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final AtomicBoolean toldAboutAsync = new AtomicBoolean();

  /**
   * Starts the upstream client and the clocks.
   *
   * @param streamListeners told of each message that is streamed
   * @param resolver the application's own way to tell users; null for none
   * @param prices what tokens cost
   * @param ledger gets every usage record, and is closed together with this
   */
  public Relay(
      GatewaySettings settings,
      TimeSource time,
      List<StreamListener> streamListeners,
      @Nullable UserResolver resolver,
      PriceTable prices,
      Ledger ledger) {
    this(
        settings,
        time,
        streamListeners,
        resolver,
        prices,
        ledger,
        () -> new UpstreamPool(settings, time));
  }

  /**
   * With another upstream client than the one that ships.
   *
   * @param startUpstreams asked once; what it gives is closed together with this
   */
  public Relay(
      GatewaySettings settings,
      TimeSource time,
      List<StreamListener> streamListeners,
      @Nullable UserResolver resolver,
      PriceTable prices,
      Ledger ledger,
      Supplier<UpstreamPool> startUpstreams) {
    this.settings = settings;
    this.nanoTime = time.nanoTime();
    this.wall = time.wall();
    this.clocks = new Clocks(settings);
    List<Endpoint> endpoints = new ArrayList<>(Endpoint.STANDARD);
    if (!settings.presets().isEmpty()) {
      endpoints.add(Endpoint.PRESET);
    }
    settings.request().extraEndpoints().stream().map(Endpoint::of).forEach(endpoints::add);
    this.routes = new Routes(endpoints);
    this.upstreamHeaders = new UpstreamHeaders(settings.upstream().forwardHeaders());
    int connections = settings.upstream().maxConnections();
    this.streams = new StreamLimit(connections);
    this.places = Math.max(FEWEST_RECEIVED, 2 * connections) + settings.limits().waitingPlaces();
    this.received = new StreamLimit(places);
    this.bodyMemory = BodyMemory.ofTheHeap(places);
    int blocking = settings.blocking().maxConcurrent();
    this.blockingStreams = blocking == 0 ? null : new StreamLimit(blocking);
    this.writers = new Writers(settings.blocking(), containers);
    this.listeners = new Listeners(streamListeners, settings.listeners());
    this.ledger = ledger;
    this.book = new UsageBook(prices, ledger::record);
    this.reports = new Reports(settings.usage(), ledger);
    this.prices = prices;
    this.upstreams = startUpstreams.get();
    this.exchanges = new Exchanges(nanoTime, this::housekeeping);
    this.streamingChecks = new StreamingChecks(exchanges::after, nanoTime, containers, writers);
    try {
      this.door = new Admittance(settings, time, resolver, exchanges::after);
    } catch (RuntimeException | Error e) { // such as an older library of the application's
      exchanges.close();
      upstreams.close();
      listeners.close();
      throw e;
    }
  }

  /**
   * Answers one request, later and on other threads as a rule; before this method returns if the
   * request may not become asynchronous.
   *
   * @param path the raw path behind the mount, beginning with a slash
   * @throws IOException if an answer that could be given at once cannot be written, and to drop a
   *     connection whose answer was cut
   */
  public void handle(HttpServletRequest request, HttpServletResponse response, String path)
      throws IOException {
    handOver(request, response, path);
    // First what touches nothing elsewhere: the request may have been completed meanwhile.
    if (Containers.waitsForBody(request) && !request.isAsyncStarted()) {
      Containers.endUnread(request, response);
    }
  }

  private void handOver(HttpServletRequest request, HttpServletResponse response, String path)
      throws IOException {
    if (response.isCommitted()) { // nothing that is said now would be heard
      LOG.error("{}", ForestalledException.MESSAGE);
      Containers.drop(request);
      abort(request);
    }
    CrossSite.Preflight preflight = door().crossSite().preflight(request);
    if (preflight != null) {
      response.setStatus(preflight.status());
      preflight.headers().forEach(response::setHeader);
      return;
    }
    if (!response.containsHeader("Access-Control-Allow-Origin")) { // else a filter in front has
      door().crossSite().answerHeaders(request).forEach(response::addHeader);
    }
    Route route = routes.find(request.getMethod(), path, request.getQueryString());
    if (route instanceof Route.Upstream upstreamRoute) {
      forward(request, response, upstreamRoute);
    } else if (route instanceof Route.Refused refused) {
      if (refused.allow() != null) {
        response.setHeader("Allow", refused.allow());
      }
      answerNow(response, refused.error());
    } else if (route instanceof Route.Ready) {
      answerReadiness(response);
    } else if (route instanceof Route.Report) {
      reports.handle(request, response);
    } else if (route instanceof Route.StreamingCheck) {
      checkStreaming(request, response);
    } else {
      response.setStatus(HttpServletResponse.SC_OK);
    }
  }

  /** For load balancers: not ready once the gateway has begun to close. */
  private void answerReadiness(HttpServletResponse response) throws IOException {
    boolean ready = !draining.get();
    response.setStatus(ready ? 200 : 503);
    response.setContentType(JSON);
    Containers.labelUtf8(response, JSON);
    response.setHeader("Cache-Control", "no-store");
    byte[] json =
        (ready ? "{\"status\":\"ready\"}" : "{\"status\":\"draining\"}").getBytes(US_ASCII);
    response.setContentLength(json.length);
    response.getOutputStream().write(json);
  }

  /** For those who may ask: whether events reach them one by one. */
  private void checkStreaming(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Admittance.Away away = door().turnedAway(request);
    if (away != null) {
      if (away.challenge()) {
        response.setHeader("WWW-Authenticate", "Bearer");
      }
      answerNow(response, away.error());
      return;
    }
    request.setAttribute(ETAG_FILTER_STREAMING, true);
    WrappedResponse wrapped = wrappers.look(request, response);
    boolean blocking = !request.isAsyncSupported() || (wrapped != null && wrapped.wantsThread());
    Permit thread = blocking ? takeThread() : null;
    if (draining.get()
        || (blocking && thread == null)
        || !streamingChecks.start(request, response, wrapped, thread)) {
      if (thread != null) {
        thread.release();
      }
      response.setHeader("Retry-After", "2");
      answerNow(response, error(503, "overloaded_error", "Too many of these run; try it again."));
    }
  }

  private void forward(
      HttpServletRequest request, HttpServletResponse response, Route.Upstream route)
      throws IOException {
    if (draining.get()) {
      response.setHeader("Retry-After", AFTER_RESTART);
      turnAway(request, response, error(503, "api_error", "The gateway is shutting down."));
      return;
    }
    if (isFramedAmbiguously(request)) {
      turnAway(
          request,
          response,
          error(
              400,
              "invalid_request_error",
              "The request says in more than one way how long its body is: send one Content-Length"
                  + " or one Transfer-Encoding."));
      return;
    }
    long maxBody = settings.request().maxBody().bytes();
    if (request.getContentLengthLong() > maxBody) {
      // the container would read megabytes only to drop them
      turnAway(
          request,
          response,
          error(
              413,
              "request_too_large",
              "The request body is larger than this gateway takes: "
                  + settings.request().maxBody()
                  + " (request.max-body)."));
      return;
    }
    if (route.endpoint().kind() != Endpoint.Kind.OPAQUE && isEncoded(request)) {
      turnAway(
          request,
          response,
          error(
              415,
              "invalid_request_error",
              "The gateway reads this body and takes it without Content-Encoding only."));
      return;
    }
    String fault =
        route.endpoint().kind() == Endpoint.Kind.OPAQUE ? null : ReadBodyHeaders.fault(request);
    if (fault != null) {
      turnAway(request, response, error(400, "invalid_request_error", fault));
      return;
    }
    Wanted wanted = Wanted.EVENTS;
    if (route.endpoint().kind() == Endpoint.Kind.MESSAGES) {
      try {
        wanted = Wanted.by(request);
      } catch (Wanted.UnknownException e) {
        turnAway(
            request, response, error(400, "invalid_request_error", String.valueOf(e.getMessage())));
        return;
      }
    }
    Admittance.Answer answer = door().enter(request, route);
    if (answer instanceof Admittance.Away away) {
      if (away.challenge()) {
        response.setHeader("WWW-Authenticate", "Bearer");
      }
      turnAway(request, response, away.error());
      return;
    }
    Entrant entrant = ((Admittance.In) answer).entrant();
    request.setAttribute(ETAG_FILTER_STREAMING, true); // before the output stream is asked for
    WrappedResponse wrapped = wrappers.look(request, response);
    Permit permit = received.tryAcquire();
    if (permit == null) {
      response.setHeader("Retry-After", "1");
      answerNow(response, noPlace());
      return;
    }
    Exchange exchange;
    try {
      exchange =
          new Exchange(
              asker(entrant),
              entrant,
              this,
              route,
              wanted.or(entrant.preset()),
              entrant.preset() == null
                  ? upstreamHeaders.of(request, route.endpoint())
                  : upstreamHeaders.ofPreset(request),
              permit);
    } catch (RuntimeException | Error e) {
      permit.release();
      throw e;
    }
    if (exchange.hasBody() && !exchange.bodyRoom().begin()) {
      exchange.refused(429, "uploads");
      response.setHeader(ClientHeaders.EXCHANGE_ID, exchange.id());
      response.setHeader("Retry-After", "1");
      turnAway(request, response, tooManyUploads());
      Containers.letGoUnread(request, response);
      return;
    }
    if (!request.isAsyncSupported()) {
      tellAboutAsync(request);
      run(request, response, wrapped, exchange, takeThread());
      return;
    }
    Permit thread = wrapped != null && wrapped.wantsThread() ? takeThread() : null;
    if (thread != null || (wrapped != null && wrapped.needsThread())) {
      run(request, response, wrapped, exchange, thread);
    } else {
      start(request, response, wrapped, exchange);
    }
  }

  private static boolean isEncoded(HttpServletRequest request) {
    for (String value : Collections.list(request.getHeaders("Content-Encoding"))) {
      String encoding = value.strip();
      if (!encoding.isEmpty() && !encoding.equalsIgnoreCase("identity")) {
        return true;
      }
    }
    return false;
  }

  /** The right to hold a thread of the container; null if there is none. */
  private @Nullable Permit takeThread() {
    return blockingStreams == null ? null : blockingStreams.tryAcquire();
  }

  /** Some containers choose one of the lengths; a proxy in front may have chosen another. */
  private static boolean isFramedAmbiguously(HttpServletRequest request) {
    if (!Containers.isHttp1(request)) {
      return false; // framed by the protocol; Open Liberty shows a Transfer-Encoding all the same
    }
    int lengths = Collections.list(request.getHeaders("Content-Length")).size();
    int codings = Collections.list(request.getHeaders("Transfer-Encoding")).size();
    return lengths + codings > 1;
  }

  private UsageBook.Asker asker(Entrant entrant) {
    return new UsageBook.Asker(
        newId(), wall.instant(), entrant.user(), entrant.role(), entrant.presetName());
  }

  private void start(
      HttpServletRequest request,
      HttpServletResponse response,
      @Nullable WrappedResponse wrapped,
      Exchange exchange)
      throws IOException {
    AsyncContext async;
    try {
      async = request.startAsync(request, response);
      async.setTimeout(0); // our clocks; a container's default is 30 s
    } catch (RuntimeException | Error e) {
      exchange.fail("not started");
      throw e;
    }
    boolean listens;
    try {
      AsyncClientStream client =
          new AsyncClientStream(
              async,
              request,
              response,
              wrapped,
              exchange,
              nanoTime,
              containers,
              writers.of(request));
      exchange.answersTo(client);
      exchanges.add(exchange); // only now, since the clocks ask the client stream
      listens = listens(client, wrapped);
      if (listens) {
        endIfTooLate(exchange);
      }
      if (listens && exchange.isReceiving() && exchange.hasBody()) {
        readBody(request, exchange, client);
      } else if (listens && exchange.isReceiving()) {
        exchange.attempt();
      }
    } catch (IOException | RuntimeException | Error e) {
      exchange.fail("not started");
      if (!response.isCommitted()) {
        response.setStatus(500); // an empty 200 would be a lie
      }
      async.complete();
      BestEffort.log(
          () -> LOG.error("Exchange {}: the container did not let it start", exchange.id(), e));
      return;
    }
    if (!listens) { // still on the container's thread, so it can be held
      run(request, response, wrapped, exchange, takeThread());
      Containers.endUnread(request, response);
      async.complete();
    }
  }

  private void readBody(HttpServletRequest request, Exchange exchange, AsyncClientStream client) {
    try {
      RequestBody body = body(request, exchange);
      ServletInputStream in = request.getInputStream();
      if (containers.callReadListeners(request.getServletContext())
          && !Containers.isOfAFilter(in, request)) {
        body.listen(!Containers.isHttp1(request) && Containers.forgetsBody(in));
      } else {
        client.holdsThread(true);
        try {
          body.readBlocking(exchange::isReceiving, RequestBody.ANY_THREAD);
        } finally {
          client.holdsThread(false);
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      notRead(exchange, e);
    }
  }

  private static void notRead(Exchange exchange, Throwable cause) {
    exchange.answerNotRead();
    LOG.error("Exchange {}: its request could not be read", exchange.id(), cause);
  }

  /**
   * Ends an exchange of which {@link #close} may not have heard, because it was still at the door
   * when that looked: nobody else would ever end it. To be called when it has been added.
   */
  private void endIfTooLate(Exchange exchange) {
    if (draining.get()) {
      exchange.shutDown();
    }
  }

  /** Starts the listening; false if a response wrapper does not want a listener. */
  private static boolean listens(AsyncClientStream client, @Nullable WrappedResponse wrapped) {
    try {
      client.start();
      return true;
    } catch (RuntimeException e) {
      if (wrapped == null) {
        throw e;
      }
      wrapped.found(Finding.UNWRITABLE);
      client.setOver(); // what the container tells it from now on is another's matter
      return false;
    }
  }

  /**
   * The same on the container's thread, which waits until the client has everything.
   *
   * @param thread the right to hold it; null if there was none
   */
  private void run(
      HttpServletRequest request,
      HttpServletResponse response,
      @Nullable WrappedResponse wrapped,
      Exchange exchange,
      @Nullable Permit thread)
      throws IOException {
    if (thread == null) {
      exchange.refused(503, "blocking.max-concurrent");
      response.setHeader(ClientHeaders.EXCHANGE_ID, exchange.id());
      response.setHeader("Retry-After", "1");
      answerNow(
          response,
          error(
              503,
              "overloaded_error",
              "A filter in front of the gateway does not let it stream without holding a thread,"
                  + " and it already holds as many threads as it may"
                  + " (blocking.max-concurrent). The server's log says what to change."));
      return;
    }
    statistics.blockingExchange();
    try {
      BlockingClientStream client =
          new BlockingClientStream(request, response, wrapped, exchange, nanoTime, containers);
      exchange.answersTo(client);
      exchanges.add(exchange);
      endIfTooLate(exchange);
      if (exchange.isReceiving() && exchange.hasBody()) {
        try {
          body(request, exchange).readBlocking(exchange::isReceiving, client);
        } catch (IOException | RuntimeException e) {
          notRead(exchange, e);
        }
      } else if (exchange.isReceiving()) {
        exchange.attempt();
      }
      client.run();
    } catch (StreamCutException e) {
      Containers.drop(request);
      Containers.dropHere(request);
      throw e;
    } catch (IOException | RuntimeException | Error e) {
      exchange.fail("blocking");
      throw e;
    } finally {
      thread.release();
    }
  }

  private RequestBody body(HttpServletRequest request, Exchange exchange) throws IOException {
    return new RequestBody(
        request.getInputStream(),
        request.getContentLengthLong(),
        exchange.maxBodyBytes(),
        exchange.bodyRoom(),
        exchange);
  }

  private void tellAboutAsync(HttpServletRequest request) {
    if (toldAboutAsync.compareAndSet(false, true)) {
      LOG.warn(
          "Async is off for {}, so each stream there holds a thread of the container, at most {} at"
              + " a time (blocking.max-concurrent): add <async-supported>true</async-supported> in"
              + " web.xml for the gateway's servlet or filter, and for every filter before it. {}",
          request.getServletPath(),
          settings.blocking().maxConcurrent(),
          filtersWithoutAsync(request));
    }
  }

  private String filtersWithoutAsync(HttpServletRequest request) {
    String known = wrappers.filters(request).asyncRemedy();
    return known.isEmpty()
        ? "Filters of this application: "
            + request.getServletContext().getFilterRegistrations().keySet()
        : "Filters without it: " + known;
  }

  private void housekeeping() {
    upstreams.closeExpired();
    door().housekeeping();
  }

  /** Answers in the place of a gateway that does not run, for which an operator has to act. */
  public static void refuse(
      HttpServletRequest request, HttpServletResponse response, ApiError error) throws IOException {
    closeAfterwards(request, response); // the body, if any, is not read
    response.setHeader("x-should-retry", "false");
    answerNow(response, error);
    Containers.endUnread(request, response);
  }

  /** Answers a request whose body is not to be read: its connection ends with the answer. */
  private static void turnAway(
      HttpServletRequest request, HttpServletResponse response, ApiError error) throws IOException {
    closeAfterwards(request, response);
    answerNow(response, error);
  }

  /** Answers before the request became asynchronous. */
  private static void answerNow(HttpServletResponse response, ApiError error) throws IOException {
    byte[] json = error.json();
    response.setStatus(error.status());
    response.setContentType(JSON);
    Containers.labelUtf8(response, JSON);
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setContentLength(json.length);
    response.getOutputStream().write(json);
  }

  private static void closeAfterwards(HttpServletRequest request, HttpServletResponse response) {
    if (Containers.isHttp1(request)) {
      response.setHeader("Connection", "close"); // HTTP/2 knows no such header (RFC 9113, 8.2.2)
    }
  }

  /** What a client is told when all upstream connections are in use. */
  static ApiError tooMany() {
    return error(
        503,
        "overloaded_error",
        "The gateway already runs as many requests as it may (upstream.max-connections).");
  }

  private ApiError noPlace() {
    return error(
        503,
        "overloaded_error",
        "The gateway already holds as many requests as it may: "
            + places
            + ", those included whose body has not come or that wait for their turn.");
  }

  private ApiError tooManyUploads() {
    return error(
        429,
        "rate_limit_error",
        "Of one user at most "
            + bodyMemory.maxComing()
            + " request bodies may be on their way at the same time: as many of yours have not come"
            + " to their end.");
  }

  private static ApiError error(int status, String type, String message) {
    return new ApiError(status, type, message, null);
  }

  /** Sorts by time, which is kind to a database's index, and is never given twice. */
  private String newId() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(wall.millis(), 12)
        + hex.toHexDigits((short) random.nextInt())
        + hex.toHexDigits(random.nextLong());
  }

  // ---- for exchanges ----

  UsageBook book() {
    return book;
  }

  Admittance door() {
    return requireNonNull(door, "door");
  }

  /** The right to ask the upstream; null when all connections are in use. */
  @Nullable Permit takeUpstreamPermit() {
    return streams.tryAcquire();
  }

  /** What an exchange needs of its user's limits; null if there are none. */
  @Nullable Allowance allowance(Entrant entrant) {
    Limits limits = entrant.plan().limits();
    return limits == null
        ? null
        : new Allowance(entrant, limits, prices, settings.retry().fallbacks());
  }

  /** The same for a request that leads to no message: it costs nothing. */
  @Nullable Allowance allowanceWithoutBudgets(Entrant entrant) {
    Limits limits = entrant.plan().limits();
    Limits left = limits == null ? null : limits.withoutBudgets();
    return left == null ? null : new Allowance(entrant, left, prices, Map.of());
  }

  BodyMemory bodyMemory() {
    return bodyMemory;
  }

  Listeners listeners() {
    return listeners;
  }

  Delivery delivery(Wanted wanted, UsageBook.Asker asker) {
    return new Delivery(
        wanted.format(),
        settings.buffers().maxEvent().toInt(),
        usage -> translation(wanted, asker, usage));
  }

  private Translation translation(Wanted wanted, UsageBook.Asker asker, UsageView view) {
    if (wanted.format() == Format.TEXT) {
      return new TextTranslation();
    }
    return new SimpleTranslation(
        wanted.thinking(), settings.buffers().maxEvent().toInt(), () -> figures(view, asker));
  }

  private SimpleTranslation.@Nullable Figures figures(UsageView view, UsageBook.Asker asker) {
    MessageUsage usage = view.usage();
    if (usage == null || !view.isFinal()) {
      return null;
    }
    Tokens billed = PriceTable.billedTokens(usage);
    return new SimpleTranslation.Figures(
        billed.input(),
        billed.output(),
        billed.cacheRead(),
        billed.cacheWrite5m() + billed.cacheWrite1h(),
        book.costUsd(view, asker.startedAt()));
  }

  GatewaySettings settings() {
    return settings;
  }

  Clocks clocks() {
    return clocks;
  }

  long nanoTime() {
    return nanoTime.getAsLong();
  }

  boolean isDraining() {
    return draining.get();
  }

  /** Runs a short task later, on the thread of the clocks. */
  void later(Duration delay, Runnable task) {
    Future<?> unused = exchanges.after(delay, task);
  }

  Future<?> sweepLater(Exchange exchange, long nanos) {
    return exchanges.sweepLater(exchange, nanos);
  }

  void ended(Exchange exchange, Outcome outcome) {
    try {
      statistics.ended(outcome);
    } finally {
      exchanges.remove(exchange);
    }
  }

  // ---- for operators and tests ----

  /** Puts other plans in force for requests from now on. */
  public void setPlans(Collection<GatewaySettings.Plan> plans) {
    door().setPlans(plans);
  }

  /** Says which filters lie in front, for what the log says about them. */
  public void standsBehind(FiltersInFront filters) {
    wrappers.filters(filters);
  }

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
    return upstreams.connectionsInUse();
  }

  /** What the gateway has done since its start. */
  public Statistics statistics() {
    return statistics;
  }

  /** The books. */
  public Ledger ledger() {
    return ledger;
  }

  /** The upstreams and what was asked of them. */
  public UpstreamPool upstreams() {
    return upstreams;
  }

  /** Ends a running exchange with an error; returns false if none has this id. */
  public boolean cancel(String exchangeId) {
    Exchange exchange = exchanges.find(exchangeId);
    if (exchange == null) {
      return false;
    }
    exchange.cancel();
    return true;
  }

  /** Refuses new exchanges from now on; the running ones go on. Idempotent. */
  public void drain() {
    draining.set(true);
  }

  /** Whether new exchanges are taken. */
  public boolean isReady() {
    return !draining.get();
  }

  /**
   * Refuses new exchanges, lets the running ones end within {@code shutdown.drain}, ends the rest
   * with an error event, and stops every thread and connection. Idempotent; waits on the calling
   * thread, also while another one closes it.
   */
  @Override
  public void close() {
    draining.set(true);
    if (!closing.compareAndSet(null, Thread.currentThread())) {
      awaitClosed();
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
      closeAll();
    }
  }

  /** From the last to the first, each whatever becomes of the others. */
  private void closeAll() {
    // The ledger last, since the end of an exchange is put on the books.
    try (ledger;
        listeners;
        writers;
        upstreams;
        streamingChecks;
        exchanges) {
      exchanges.abandonAll();
    } finally {
      closed.countDown();
    }
  }

  /** Whoever closes it a second time may be about to take away what running streams need. */
  private void awaitClosed() {
    if (closing.get() == Thread.currentThread()) {
      return; // called from within, by something of the application's that is being closed
    }
    try {
      // Bounded, since it may be called by a thread that the closing waits for.
      Duration longest = settings.shutdown().drain().plus(CLOSING);
      boolean unused = closed.await(longest.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
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

  /**
   * Drops the connection of a request that {@link #isAbort}, to be called on the thread that the
   * container has given to it.
   *
   * @throws StreamCutException always
   */
  public static void abort(HttpServletRequest request) throws StreamCutException {
    Containers.dropHere(request);
    throw new StreamCutException();
  }

  /** The request attribute that {@link #isAbort} looks at. */
  public static String abortAttribute() {
    return AsyncClientStream.ABORT_ATTRIBUTE;
  }
}
