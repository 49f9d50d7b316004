package dev.headrace;

import static java.util.Objects.requireNonNull;

import dev.headrace.chain.FiltersInFront;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.LoadedSettings;
import dev.headrace.config.SettingsException;
import dev.headrace.identity.ListedAddresses;
import dev.headrace.observe.Statistics;
import dev.headrace.relay.RawPath;
import dev.headrace.relay.Relay;
import dev.headrace.spi.StreamListener;
import dev.headrace.spi.UsageSink;
import dev.headrace.spi.UserResolver;
import dev.headrace.upstream.TimeSource;
import dev.headrace.upstream.UpstreamClient;
import dev.headrace.upstream.UpstreamPool;
import dev.headrace.usage.Ledger;
import dev.headrace.usage.PriceFileException;
import dev.headrace.usage.PriceTable;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running gateway: takes requests of a servlet container, forwards them to the Claude API and
 * streams the answers back. It owns threads and connections until {@link #close}. Thread-safe.
 *
 * <pre>{@code
 * Gateway gateway = Gateway.start(GatewaySettings.builder()....build());
 * ServletRegistration.Dynamic claude = context.addServlet("claude", new GatewayServlet(gateway));
 * claude.addMapping("/claude/*");
 * claude.setAsyncSupported(true);
 * }</pre>
 */
public final class Gateway implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);

  private final GatewaySettings settings;
  private final Relay relay;
  private final ListedAddresses metricsReaders;

  private Gateway(GatewaySettings settings, Relay relay) {
    this.settings = settings;
    this.relay = relay;
    this.metricsReaders = new ListedAddresses(settings.metrics().addresses(), settings.identity());
  }

  /**
   * Starts a gateway and logs the settings in force, secrets masked. Whether it is {@code enabled}
   * is for the caller to look at.
   *
   * @throws dev.headrace.config.SettingsException if a file that the settings name cannot be used;
   *     the message names the setting
   */
  public static Gateway start(GatewaySettings settings) {
    return builder(settings).start();
  }

  /**
   * As {@link #start(GatewaySettings)}, and the log also says which file or variable set what.
   *
   * @throws IllegalArgumentException as {@link GatewayBuilder#start}
   */
  public static Gateway start(LoadedSettings loaded) {
    return builder(loaded).start();
  }

  /** For applications that add listeners or usage sinks of their own. */
  public static GatewayBuilder builder(GatewaySettings settings) {
    return new GatewayBuilder(settings);
  }

  /**
   * As {@link #builder(GatewaySettings)}, and the log also says which file or variable set what.
   */
  public static GatewayBuilder builder(LoadedSettings loaded) {
    return new GatewayBuilder(loaded);
  }

  static Gateway start(
      GatewaySettings settings,
      String description,
      TimeSource time,
      List<StreamListener> listeners,
      Map<String, UsageSink> sinks,
      @Nullable UserResolver resolver,
      Function<GatewaySettings, UpstreamClient> upstreamClient) {
    PriceTable prices = prices(settings);
    Ledger ledger = Ledger.open(settings.usage(), sinks);
    try {
      Relay relay =
          new Relay(
              settings,
              time,
              listeners,
              resolver,
              prices,
              ledger,
              () -> new UpstreamPool(settings, upstreamClient.apply(settings), time));
      LOG.info("Headrace starts with\n{}", description);
      return new Gateway(settings, relay);
    } catch (RuntimeException | Error e) { // such as an older library of the application's
      ledger.close();
      throw e;
    }
  }

  private static PriceTable prices(GatewaySettings settings) {
    try {
      return PriceTable.load(settings.usage().pricesFile());
    } catch (PriceFileException e) {
      throw SettingsException.inFile("usage.prices-file", e.problems());
    }
  }

  /** The settings that this gateway was started with. */
  public GatewaySettings settings() {
    return settings;
  }

  /**
   * Answers a request whose path lies under a prefix; returns at once, the answer follows on other
   * threads.
   *
   * @param prefix the raw path of the gateway within the server, such as {@code /shop/claude},
   *     without a slash at its end; may be empty
   * @return false if the request's raw path does not lie under the prefix: nothing was done then
   * @throws IOException if an answer that could be given at once cannot be written, and to drop a
   *     connection whose answer was cut
   */
  public boolean handle(HttpServletRequest request, HttpServletResponse response, String prefix)
      throws IOException {
    if (request.getDispatcherType() == DispatcherType.ASYNC
        && Relay.isAbort(request.getAttribute(Relay.abortAttribute()))) {
      Relay.abort(request);
    }
    String path = pathBehind(prefix, RawPath.of(request));
    if (path == null) {
      return false;
    }
    relay.handle(request, response, path);
    return true;
  }

  /** The raw path behind the prefix. */
  private static @Nullable String pathBehind(String prefix, String rawPath) {
    if (!rawPath.startsWith(prefix)) {
      return null;
    }
    String rest = rawPath.substring(prefix.length());
    if (rest.isEmpty()) {
      return "/";
    }
    return rest.charAt(0) == '/' ? rest : null;
  }

  /** How many exchanges run at this moment, those included whose request is still being read. */
  public int runningExchanges() {
    return relay.runningExchanges();
  }

  /**
   * How many concurrency permits are taken at this moment: one by each running exchange from the
   * moment at which it asks the upstream.
   */
  public int permitsInUse() {
    return relay.permitsInUse();
  }

  /** How many upstream connections are busy at this moment. */
  public int upstreamConnectionsInUse() {
    return relay.upstreamConnectionsInUse();
  }

  /**
   * Ends a running exchange: the client gets an {@code error} event or, before the answer has
   * begun, status 503; the upstream call is cancelled.
   *
   * @param exchangeId the value of its {@code headrace-exchange-id} header
   * @return false if no exchange with this id runs
   */
  public boolean cancel(String exchangeId) {
    return relay.cancel(requireNonNull(exchangeId, "exchangeId"));
  }

  /**
   * Puts other plans in force, for requests from now on: streams that run go on under theirs, and
   * what users have used so far stays used.
   *
   * @param plans by name; the first that fits a caller is theirs. May not be empty if the gateway
   *     was started with plans, because nobody would be limited any more
   * @throws IllegalArgumentException if there are no plans, but were at the start
   * @throws dev.headrace.config.SettingsException if the gateway would not start with these plans
   *     and its other settings, such as with one that nobody can get; those in force stay then
   */
  public void setPlans(Map<String, GatewaySettings.Plan> plans) {
    if (plans.isEmpty() && !settings.plans().isEmpty()) {
      throw new IllegalArgumentException("no plans (expected: at least one)");
    }
    GatewaySettings checked = settings.toBuilder().plans(plans).build();
    relay.setPlans(checked.plans().values());
  }

  /**
   * Refuses new exchanges with 503 from now on, while the running ones go on: the first half of
   * {@link #close}, for those who can announce their end to a load balancer. Returns at once;
   * idempotent.
   */
  public void drain() {
    relay.drain();
  }

  /** Whether new exchanges are taken; {@code GET <mount>/ops/ready} tells the same. */
  public boolean isReady() {
    return relay.isReady();
  }

  /**
   * How many exchanges have ended since the start, by outcome, such as {@code COMPLETED} or {@code
   * TIMED_OUT(idle)}.
   */
  public Map<String, Long> outcomes() {
    return relay.statistics().outcomes();
  }

  /** Looks at the filters in front, once it is known where the gateway is registered. */
  void standsBehind(FiltersInFront filters) {
    filters.report();
    relay.standsBehind(filters);
  }

  /**
   * Whether {@code metrics.addresses} lets the sender of this request read metrics: for those who
   * serve them, which the gateway itself does not.
   */
  public boolean mayReadMetrics(HttpServletRequest request) {
    return metricsReaders.admit(request);
  }

  Statistics statistics() {
    return relay.statistics();
  }

  Ledger ledger() {
    return relay.ledger();
  }

  UpstreamPool upstreams() {
    return relay.upstreams();
  }

  /**
   * Closes the gateway: refuses new requests with 503, waits up to {@code shutdown.drain} for
   * running ones, ends the rest with an {@code error} event, then stops every thread and
   * connection. Blocks meanwhile, also where another thread closes it already. Idempotent.
   */
  @Override
  public void close() {
    relay.close();
  }
}
