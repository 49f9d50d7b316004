package dev.headrace.demo;

import dev.headrace.Gateway;
import dev.headrace.GatewayServlet;
import dev.headrace.config.Environment;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.LoadedSettings;
import dev.headrace.config.Secret;
import dev.headrace.config.SettingsException;
import dev.headrace.config.SettingsReader;
import dev.headrace.simulator.ClaudeSimulator;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.eclipse.jetty.ee11.servlet.FilterHolder;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The running demo: simulator if ANTHROPIC_API_KEY is not set, gateway, Jetty. Thread-safe. */
final class DemoServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DemoServer.class);

  /** Never leaves this process: the simulator takes any key. */
  private static final Secret SIMULATED_KEY = Secret.of("simulated");

  /** Streams need no thread while they wait, so this is for work, not for the number of clients. */
  private static final int MAX_THREADS = 48;

  /** The simulator talks for seconds, so thousands of requests per second are a lot of streams. */
  private static final int MAX_STREAMS = 20_000;

  /** A burst of new connections must not be refused before it can be accepted. */
  private static final int ACCEPT_QUEUE = 4096;

  /** The simulator keeps the bodies of so many requests; its own default suits tests. */
  private static final int REMEMBERED_REQUESTS = 256;

  private final @Nullable ClaudeSimulator simulator;
  private final Gateway gateway;
  private final Server jetty;
  private final ServerConnector connector;

  private DemoServer(@Nullable ClaudeSimulator simulator, Gateway gateway, DemoSettings settings) {
    this.simulator = simulator;
    this.gateway = gateway;
    QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, 8);
    threads.setName("jetty");
    jetty = new Server(threads);
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    connector = new ServerConnector(jetty, 1, -1, new HttpConnectionFactory(http));
    connector.setHost(settings.bindHost(simulated()));
    connector.setPort(settings.port());
    connector.setAcceptQueueSize(ACCEPT_QUEUE);
    jetty.addConnector(connector);
    jetty.setHandler(servlets(settings));
  }

  /**
   * Starts everything; what was started is closed again if a later part fails.
   *
   * @throws DemoException if the settings cannot be used or the demo cannot listen where they say
   */
  static DemoServer start(DemoSettings settings) throws DemoException {
    ClaudeSimulator simulator = settings.apiKey() == null ? startSimulator() : null;
    Gateway gateway;
    try {
      gateway = Gateway.builder(loadedSettings(settings, simulator)).start();
    } catch (SettingsException | IllegalArgumentException e) {
      closeAll(simulator);
      throw new DemoException(String.valueOf(e.getMessage()), e);
    } catch (DemoException | RuntimeException e) {
      closeAll(simulator);
      throw e;
    }
    DemoServer demo = new DemoServer(simulator, gateway, settings);
    try {
      demo.jetty.start();
    } catch (Exception e) { // Jetty's start() declares nothing narrower
      demo.close();
      throw new DemoException(whyNot(e, demo.connector), e);
    }
    return demo;
  }

  private static String whyNot(Exception e, ServerConnector connector) {
    BindException bind = bindException(e);
    if (bind == null) {
      return "Jetty does not start: " + e.getMessage();
    }
    int port = connector.getPort();
    String reason = String.valueOf(bind.getMessage());
    if (reason.contains("in use")) {
      return "Port %d is taken. Set PORT to another one, such as PORT=%d".formatted(port, port + 1);
    }
    String host = connector.getHost();
    return "Cannot listen on "
        + (host == null ? "port " + port : inUrl(host) + ":" + port)
        + ": "
        + reason
        + ". Set PORT to another port or HEADRACE_DEMO_HOST to an address of this machine";
  }

  private static @Nullable BindException bindException(Throwable e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof BindException bind) {
        return bind;
      }
    }
    return null;
  }

  private static ClaudeSimulator startSimulator() {
    return ClaudeSimulator.builder().chat().rememberRequests(REMEMBERED_REQUESTS).start();
  }

  /** File and environment are stronger than what the demo itself gives. */
  private static LoadedSettings loadedSettings(
      DemoSettings settings, @Nullable ClaudeSimulator simulator) throws DemoException {
    GatewaySettingsBuilder own =
        GatewaySettings.builder()
            .upstreamMaxConnections(MAX_STREAMS)
            // Ctrl-C should not wait for a long answer.
            .shutdownDrain(Duration.ofSeconds(1));
    URI baseUrl = simulator == null ? settings.baseUrl() : simulator.baseUrl();
    if (baseUrl != null) {
      own.upstreamBaseUrl(baseUrl);
    }
    LoadedSettings loaded = readWithKey(settings, own);
    checkKeys(loaded.settings(), simulator);
    if (simulated(loaded.settings(), simulator)
        && !loaded.origins().containsKey("breaker.enabled")) {
      // Its faults are asked for: a few of them must not close the way for the answers after them.
      GatewaySettings withoutBreaker = loaded.settings().toBuilder().breakerEnabled(false).build();
      return new LoadedSettings(
          withoutBreaker, loaded.source(), loaded.origins(), loaded.warnings());
    }
    return loaded;
  }

  /**
   * Gives the demo's own key only where file and environment name no source of one, since two
   * sources are an error. Of mistakes that have nothing to do with the key both readings complain,
   * so the one with fewer complaints is the one to show.
   */
  private static LoadedSettings readWithKey(DemoSettings settings, GatewaySettingsBuilder own) {
    try {
      return read(settings, own);
    } catch (SettingsException without) {
      try {
        Secret key = settings.apiKey();
        return read(settings, own.upstreamApiKey(key == null ? SIMULATED_KEY : key));
      } catch (SettingsException with) {
        throw with.problems().size() < without.problems().size() ? with : without;
      }
    }
  }

  private static LoadedSettings read(DemoSettings settings, GatewaySettingsBuilder own) {
    Environment environment = environmentFor(settings);
    return settings.configFile() == null
        ? SettingsReader.read("", "the demo's own settings", environment, own)
        : SettingsReader.read(settings.configFile(), environment, own);
  }

  /** An upstream of the settings must not be asked with the key that only the simulator takes. */
  private static void checkKeys(GatewaySettings settings, @Nullable ClaudeSimulator simulator)
      throws DemoException {
    for (GatewaySettings.Member member : settings.upstream().resolvedMembers()) {
      if (!isAt(member, simulator) && SIMULATED_KEY.equals(member.apiKey())) {
        throw new DemoException(
            "The settings name the upstream %s, but there is no key for it: set ANTHROPIC_API_KEY"
                .formatted(hostOf(member)));
      }
    }
  }

  /**
   * A settings file normally says {@code ${ANTHROPIC_API_KEY}}; it should work with the simulator,
   * too. The demo's own variables are none of the gateway.
   */
  private static Environment environmentFor(DemoSettings settings) {
    Map<String, String> variables = new HashMap<>(settings.environment());
    variables.keySet().removeIf(name -> name.startsWith("HEADRACE_DEMO_"));
    if (settings.apiKey() == null) {
      variables.put("ANTHROPIC_API_KEY", SIMULATED_KEY.reveal());
    }
    return Environment.of(variables, Map.of());
  }

  private ServletContextHandler servlets(DemoSettings settings) {
    ServletContextHandler context = new ServletContextHandler("/");
    ServletHolder claude = new ServletHolder("claude", new GatewayServlet(gateway));
    claude.setAsyncSupported(true);
    context.addServlet(claude, "/claude/*");
    if (isLocal()) {
      addFilter(context, new LocalHostFilter(), "/*");
    }
    addFilter(context, new SameSiteFilter(), "/claude/*");
    context.addServlet(
        new ServletHolder(
            "info",
            new InfoServlet(
                PageConfig.json(settings, simulated()), simulated() ? simulator : null)),
        "/demo/*");
    context.addServlet(new ServletHolder("page", new PageServlet()), "/");
    return context;
  }

  private static void addFilter(ServletContextHandler context, Filter filter, String path) {
    FilterHolder holder = new FilterHolder(filter);
    holder.setAsyncSupported(true);
    context.addFilter(holder, path, EnumSet.of(DispatcherType.REQUEST));
  }

  /** Whether every answer comes from the simulator in this process, so that none costs money. */
  boolean simulated() {
    return simulated(settings(), simulator);
  }

  private static boolean simulated(GatewaySettings settings, @Nullable ClaudeSimulator simulator) {
    return settings.upstream().resolvedMembers().stream()
        .allMatch(member -> isAt(member, simulator));
  }

  private static boolean isAt(GatewaySettings.Member member, @Nullable ClaudeSimulator simulator) {
    return simulator != null && simulator.baseUrl().equals(member.baseUrl());
  }

  /** The hosts behind the gateway but for the simulator, separated by commas. */
  String upstreamHosts() {
    return settings().upstream().resolvedMembers().stream()
        .filter(member -> !isAt(member, simulator))
        .map(DemoServer::hostOf)
        .distinct()
        .collect(Collectors.joining(", "));
  }

  private static String hostOf(GatewaySettings.Member member) {
    return Objects.requireNonNull(member.baseUrl(), "resolved").getHost();
  }

  /** What the gateway goes by, from code, file and environment. */
  GatewaySettings settings() {
    return gateway.settings();
  }

  /** Whether programs on this machine alone can connect. */
  boolean isLocal() {
    String host = connector.getHost();
    InetAddress address = host == null ? null : new InetSocketAddress(host, 0).getAddress();
    return address != null && address.isLoopbackAddress();
  }

  /** Where the page is, for a browser on this machine. */
  URI uri() {
    String host = connector.getHost() == null ? "localhost" : connector.getHost();
    return URI.create("http://" + inUrl(host) + ":" + connector.getLocalPort() + "/");
  }

  /** An IPv6 address stands in brackets (RFC 3986, 3.2.2). */
  private static String inUrl(String host) {
    return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
  }

  /** Waits until the demo is closed. */
  void join() throws InterruptedException {
    jetty.join();
  }

  /** Ends running answers, then everything else. Idempotent. */
  @Override
  public void close() {
    gateway.close();
    try {
      jetty.stop();
    } catch (Exception e) { // Jetty's stop() declares nothing narrower
      LOG.warn("Jetty did not stop cleanly", e);
    }
    closeAll(simulator);
  }

  private static void closeAll(@Nullable ClaudeSimulator simulator) {
    if (simulator != null) {
      simulator.close();
    }
  }
}
