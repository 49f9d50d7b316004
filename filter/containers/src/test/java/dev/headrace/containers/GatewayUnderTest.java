package dev.headrace.containers;

import dev.headrace.Gateway;
import dev.headrace.GatewayBuilder;
import dev.headrace.GatewayFilter;
import dev.headrace.GatewayInside;
import dev.headrace.GatewayServlet;
import dev.headrace.ManualTime;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.Secret;
import dev.headrace.containers.ContainerKind.Deployment;
import dev.headrace.containers.ContainerKind.RunningContainer;
import dev.headrace.simulator.ClaudeSimulator;
import jakarta.servlet.Filter;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;

/** Simulator, gateway and container together, each on a port of its own. */
public final class GatewayUnderTest implements AutoCloseable {

  /** The key that the gateway calls the simulator with; must appear nowhere else. */
  public static final String API_KEY = "sk-ant-test-key-that-must-stay-secret";

  private final ClaudeSimulator claude;
  private final Gateway gateway;
  private final RunningContainer container;

  private GatewayUnderTest(ClaudeSimulator claude, Gateway gateway, RunningContainer container) {
    this.claude = claude;
    this.gateway = gateway;
    this.container = container;
  }

  static GatewayUnderTest start(ContainerKind kind) throws Exception {
    return start(kind, settings -> settings);
  }

  static GatewayUnderTest start(ContainerKind kind, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return start(kind, ClaudeSimulator.builder().apiKey(API_KEY).start(), change);
  }

  public static GatewayUnderTest start(
      ContainerKind kind, ClaudeSimulator claude, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    Gateway gateway = Gateway.start(settings(claude, change));
    RunningContainer container = kind.start(new Deployment("", new GatewayServlet(gateway), null));
    return new GatewayUnderTest(claude, gateway, container);
  }

  /** The same in a container that keeps little for later requests. */
  static GatewayUnderTest startWithSmallPools(
      ContainerKind kind, ClaudeSimulator claude, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    Gateway gateway = Gateway.start(settings(claude, change));
    RunningContainer container =
        kind.start(new Deployment("", new GatewayServlet(gateway), null, null, true));
    return new GatewayUnderTest(claude, gateway, container);
  }

  /** The same with listeners or sinks of the application's. */
  public static GatewayUnderTest startWith(
      ContainerKind kind,
      ClaudeSimulator claude,
      UnaryOperator<GatewaySettingsBuilder> change,
      UnaryOperator<GatewayBuilder> addition)
      throws Exception {
    Gateway gateway = addition.apply(Gateway.builder(settings(claude, change))).start();
    RunningContainer container = kind.start(new Deployment("", new GatewayServlet(gateway), null));
    return new GatewayUnderTest(claude, gateway, container);
  }

  /** The same with a clock that the test moves. */
  static GatewayUnderTest start(
      ContainerKind kind,
      ClaudeSimulator claude,
      ManualTime time,
      UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    Gateway gateway = time.start(settings(claude, change));
    RunningContainer container = kind.start(new Deployment("", new GatewayServlet(gateway), null));
    return new GatewayUnderTest(claude, gateway, container);
  }

  /** The same with every attempt counted, also those that do not reach the simulator. */
  static GatewayUnderTest start(
      ContainerKind kind, CountedAttempts attempts, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    ClaudeSimulator claude = ClaudeSimulator.builder().apiKey(API_KEY).start();
    GatewaySettingsBuilder settings =
        GatewaySettings.builder().upstreamBaseUrl(claude.baseUrl()).upstreamApiKeySource(attempts);
    Gateway gateway = Gateway.start(change.apply(settings).build());
    RunningContainer container = kind.start(new Deployment("", new GatewayServlet(gateway), null));
    return new GatewayUnderTest(claude, gateway, container);
  }

  /** The same behind the filter, in an application with a context path. */
  static GatewayUnderTest startAsFilter(
      ContainerKind kind, String contextPath, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    ClaudeSimulator claude = ClaudeSimulator.builder().apiKey(API_KEY).start();
    Gateway gateway = Gateway.start(settings(claude, change));
    RunningContainer container =
        kind.start(new Deployment(contextPath, null, new GatewayFilter(gateway)));
    return new GatewayUnderTest(claude, gateway, container);
  }

  private static GatewaySettings settings(
      ClaudeSimulator claude, UnaryOperator<GatewaySettingsBuilder> change) {
    return change
        .apply(
            GatewaySettings.builder()
                .upstreamBaseUrl(claude.baseUrl())
                .upstreamApiKey(Secret.of(API_KEY)))
        .build();
  }

  /** The servlet behind a filter that lets no request become asynchronous. */
  static GatewayUnderTest startBehindLegacyFilter(
      ContainerKind kind, UnaryOperator<GatewaySettingsBuilder> change) throws Exception {
    return startBehindLegacyFilter(kind, change, gateway -> gateway);
  }

  /** The same with a resolver, listeners or sinks of the application's. */
  static GatewayUnderTest startBehindLegacyFilter(
      ContainerKind kind,
      UnaryOperator<GatewaySettingsBuilder> change,
      UnaryOperator<GatewayBuilder> addition)
      throws Exception {
    return startBehind(
        kind, (request, response, chain) -> chain.doFilter(request, response), change, addition);
  }

  /** The servlet behind a filter of the application, without async support. */
  static GatewayUnderTest startBehind(
      ContainerKind kind, Filter filter, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return startBehind(kind, filter, change, gateway -> gateway);
  }

  private static GatewayUnderTest startBehind(
      ContainerKind kind,
      Filter filter,
      UnaryOperator<GatewaySettingsBuilder> change,
      UnaryOperator<GatewayBuilder> addition)
      throws Exception {
    ClaudeSimulator claude = ClaudeSimulator.builder().apiKey(API_KEY).start();
    Gateway gateway = addition.apply(Gateway.builder(settings(claude, change))).start();
    RunningContainer container =
        kind.start(new Deployment("", new GatewayServlet(gateway), null, filter));
    return new GatewayUnderTest(claude, gateway, container);
  }

  /** The servlet, asynchronous, behind something that puts another request in its place. */
  static GatewayUnderTest startWithRequests(
      ContainerKind kind,
      UnaryOperator<HttpServletRequest> wrap,
      UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return startWrapped(kind, wrap, response -> response, change);
  }

  /** The same with another response, too. */
  static GatewayUnderTest startWrapped(
      ContainerKind kind,
      UnaryOperator<HttpServletRequest> wrap,
      UnaryOperator<HttpServletResponse> wrapResponse,
      UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return startBehindAsync(
        kind,
        (request, response, chain) ->
            chain.doFilter(
                wrap.apply((HttpServletRequest) request),
                wrapResponse.apply((HttpServletResponse) response)),
        change);
  }

  /** The servlet, asynchronous, behind a filter of the application. */
  static GatewayUnderTest startBehindAsync(
      ContainerKind kind, Filter filter, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    ClaudeSimulator claude = ClaudeSimulator.builder().apiKey(API_KEY).start();
    Gateway gateway = Gateway.start(settings(claude, change));
    GatewayServlet servlet = new GatewayServlet(gateway);
    HttpServlet filtered =
        new HttpServlet() {
          private static final long serialVersionUID = 1L;

          @Override
          public void service(ServletRequest request, ServletResponse response)
              throws ServletException, IOException {
            filter.doFilter(request, response, servlet::service);
          }
        };
    RunningContainer container = kind.start(new Deployment("", filtered, null));
    return new GatewayUnderTest(claude, gateway, container);
  }

  /**
   * The servlet, asynchronous or not, with responses whose streams break.
   *
   * @param failure null for a class that is missing
   */
  static GatewayUnderTest startWithBrokenStreams(
      ContainerKind kind,
      boolean async,
      int soundWrites,
      @Nullable RuntimeException failure,
      UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    ClaudeSimulator claude = ClaudeSimulator.builder().apiKey(API_KEY).start();
    Gateway gateway = Gateway.start(settings(claude, change));
    Filter legacy = async ? null : (request, response, chain) -> chain.doFilter(request, response);
    RunningContainer container =
        kind.start(
            new Deployment(
                "",
                new ServletWithBrokenStreams(new GatewayServlet(gateway), soundWrites, failure),
                null,
                legacy));
    return new GatewayUnderTest(claude, gateway, container);
  }

  /** Stops the application, as an undeploy does. */
  void stopApplication() {
    container.stopApplication();
  }

  public ClaudeSimulator claude() {
    return claude;
  }

  public Gateway gateway() {
    return gateway;
  }

  public int port() {
    return container.port();
  }

  /** What a client of the API is given as its base URL. */
  public URI baseUrl() {
    return URI.create("http://127.0.0.1:" + container.port() + "/claude");
  }

  /** Waits until every permit, exchange and upstream connection is given back. */
  public void awaitIdle(Duration limit) {
    try {
      Awaitility.await("permits, exchanges, upstream connections, upstream answers")
          .atMost(limit)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(10))
          .until(this::inUse, "0 0 0 0"::equals);
    } catch (ConditionTimeoutException e) {
      throw new AssertionError("Still running: " + GatewayInside.phases(gateway), e);
    }
  }

  private String inUse() {
    return gateway.permitsInUse()
        + " "
        + gateway.runningExchanges()
        + " "
        + gateway.upstreamConnectionsInUse()
        + " "
        + claude.openStreams();
  }

  /** For a {@link LoadClient}: whose turn it is, when an answer does not come to its end. */
  String circumstances() {
    return "; permits, exchanges, upstream connections and upstream answers in use: " + inUse();
  }

  @Override
  public void close() {
    container.close(); // destroys the servlet, which closes the gateway
    gateway.close();
    claude.close();
  }
}
