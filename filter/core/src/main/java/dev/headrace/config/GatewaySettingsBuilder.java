package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Puts {@link GatewaySettings} together in code. Each method is named like the key of the settings
 * file: {@code upstream.base-url} is {@link #upstreamBaseUrl}. What a setting means, its range and
 * its default stand at the records. Nothing is checked before {@link #build}. Not thread-safe.
 */
public final class GatewaySettingsBuilder {
  private final Map<Setting<?>, Object> values = new HashMap<>();
  private @Nullable Supplier<Secret> apiKeySource;

  GatewaySettingsBuilder() {}

  GatewaySettingsBuilder(GatewaySettings settings) {
    for (Setting<?> setting : SettingTable.all()) {
      Object value = setting.valueIn(settings);
      if (value != null) {
        values.put(setting, value);
      }
    }
    apiKeySource = settings.upstream().apiKeySource();
  }

  GatewaySettingsBuilder(GatewaySettingsBuilder other) {
    values.putAll(other.values);
    apiKeySource = other.apiKeySource;
  }

  /** Sets {@code enabled}. */
  public GatewaySettingsBuilder enabled(boolean value) {
    return set(SettingTable.ENABLED, value);
  }

  /** Sets {@code mount}. */
  public GatewaySettingsBuilder mount(String value) {
    return set(SettingTable.MOUNT, value);
  }

  /** Sets {@code upstream.base-url}. */
  public GatewaySettingsBuilder upstreamBaseUrl(URI value) {
    return set(SettingTable.UPSTREAM_BASE_URL, value);
  }

  /** Sets {@code upstream.api-key}; the other sources of the key must then be absent. */
  public GatewaySettingsBuilder upstreamApiKey(Secret value) {
    return set(SettingTable.UPSTREAM_API_KEY, value);
  }

  /**
   * Sets {@code upstream.api-key-file}, which is read once, when the gateway starts; the other
   * sources of the key must then be absent.
   */
  public GatewaySettingsBuilder upstreamApiKeyFile(Path value) {
    return set(SettingTable.UPSTREAM_API_KEY_FILE, value);
  }

  /**
   * Sets code that gives the API key, such as one that asks a vault; the other sources of the key
   * must then be absent. The only setting that the file does not have.
   */
  public GatewaySettingsBuilder upstreamApiKeySource(Supplier<Secret> value) {
    apiKeySource = requireNonNull(value, "value");
    return this;
  }

  /** Sets {@code upstream.selection}. */
  public GatewaySettingsBuilder upstreamSelection(GatewaySettings.Selection value) {
    return set(SettingTable.UPSTREAM_SELECTION, value);
  }

  /**
   * Sets {@code upstream.members}, in order; what a member leaves out is taken from the other
   * settings of {@code upstream}.
   */
  public GatewaySettingsBuilder upstreamMembers(List<GatewaySettings.Member> value) {
    return set(SettingTable.UPSTREAM_MEMBERS, List.copyOf(value));
  }

  /** Sets {@code upstream.ca-file}. */
  public GatewaySettingsBuilder upstreamCaFile(Path value) {
    return set(SettingTable.UPSTREAM_CA_FILE, value);
  }

  /** Sets {@code upstream.max-connections}. */
  public GatewaySettingsBuilder upstreamMaxConnections(int value) {
    return set(SettingTable.UPSTREAM_MAX_CONNECTIONS, value);
  }

  /** Sets {@code upstream.io-threads}. */
  public GatewaySettingsBuilder upstreamIoThreads(int value) {
    return set(SettingTable.UPSTREAM_IO_THREADS, value);
  }

  /** Sets {@code upstream.buffer-size}. */
  public GatewaySettingsBuilder upstreamBufferSize(ByteSize value) {
    return set(SettingTable.UPSTREAM_BUFFER_SIZE, value);
  }

  /** Sets {@code upstream.connection-idle}. */
  public GatewaySettingsBuilder upstreamConnectionIdle(Duration value) {
    return set(SettingTable.UPSTREAM_CONNECTION_IDLE, value);
  }

  /** Sets {@code upstream.connection-ttl}. */
  public GatewaySettingsBuilder upstreamConnectionTtl(Duration value) {
    return set(SettingTable.UPSTREAM_CONNECTION_TTL, value);
  }

  /** Sets {@code upstream.forward-headers}. */
  public GatewaySettingsBuilder upstreamForwardHeaders(List<String> value) {
    return set(SettingTable.UPSTREAM_FORWARD_HEADERS, List.copyOf(value));
  }

  /** Sets {@code request.max-body}. */
  public GatewaySettingsBuilder requestMaxBody(ByteSize value) {
    return set(SettingTable.REQUEST_MAX_BODY, value);
  }

  /** Sets {@code request.body-timeout}. */
  public GatewaySettingsBuilder requestBodyTimeout(Duration value) {
    return set(SettingTable.REQUEST_BODY_TIMEOUT, value);
  }

  /** Sets {@code request.extra-endpoints}. */
  public GatewaySettingsBuilder requestExtraEndpoints(List<EndpointTemplate> value) {
    return set(SettingTable.REQUEST_EXTRA_ENDPOINTS, List.copyOf(value));
  }

  /** Sets {@code identity.sources}. */
  public GatewaySettingsBuilder identitySources(List<IdentitySource> value) {
    return set(SettingTable.IDENTITY_SOURCES, List.copyOf(value));
  }

  /** Sets {@code identity.session-attribute}. */
  public GatewaySettingsBuilder identitySessionAttribute(String value) {
    return set(SettingTable.IDENTITY_SESSION_ATTRIBUTE, value);
  }

  /** Sets {@code identity.header}. */
  public GatewaySettingsBuilder identityHeader(String value) {
    return set(SettingTable.IDENTITY_HEADER, value);
  }

  /** Sets {@code identity.groups-header}. */
  public GatewaySettingsBuilder identityGroupsHeader(String value) {
    return set(SettingTable.IDENTITY_GROUPS_HEADER, value);
  }

  /** Sets {@code identity.trusted-proxies}. */
  public GatewaySettingsBuilder identityTrustedProxies(List<AddressBlock> value) {
    return set(SettingTable.IDENTITY_TRUSTED_PROXIES, List.copyOf(value));
  }

  /** Sets {@code identity.trusted-hops}. */
  public GatewaySettingsBuilder identityTrustedHops(int value) {
    return set(SettingTable.IDENTITY_TRUSTED_HOPS, value);
  }

  /** Sets {@code identity.keys-file}. */
  public GatewaySettingsBuilder identityKeysFile(Path value) {
    return set(SettingTable.IDENTITY_KEYS_FILE, value);
  }

  /** Sets {@code cross-site.origins}. */
  public GatewaySettingsBuilder crossSiteOrigins(List<String> value) {
    return set(SettingTable.CROSS_SITE_ORIGINS, List.copyOf(value));
  }

  /** Sets {@code cross-site.same-site}. */
  public GatewaySettingsBuilder crossSiteSameSite(boolean value) {
    return set(SettingTable.CROSS_SITE_SAME_SITE, value);
  }

  /** Sets {@code models.aliases}. */
  public GatewaySettingsBuilder modelsAliases(Map<String, String> value) {
    return set(SettingTable.MODELS_ALIASES, new LinkedHashMap<>(value));
  }

  /** Sets {@code limits.max-users}. */
  public GatewaySettingsBuilder limitsMaxUsers(int value) {
    return set(SettingTable.LIMITS_MAX_USERS, value);
  }

  /** Sets {@code limits.time-zone}. */
  public GatewaySettingsBuilder limitsTimeZone(ZoneId value) {
    return set(SettingTable.LIMITS_TIME_ZONE, value);
  }

  /** Sets {@code limits.waiting-places}. */
  public GatewaySettingsBuilder limitsWaitingPlaces(int value) {
    return set(SettingTable.LIMITS_WAITING_PLACES, value);
  }

  /** Sets {@code limits.waiting-places-per-user}. */
  public GatewaySettingsBuilder limitsWaitingPlacesPerUser(int value) {
    return set(SettingTable.LIMITS_WAITING_PLACES_PER_USER, value);
  }

  /** Sets {@code limits.waiting-longest}. */
  public GatewaySettingsBuilder limitsWaitingLongest(Duration value) {
    return set(SettingTable.LIMITS_WAITING_LONGEST, value);
  }

  /** Sets {@code limits.organisation-headers}. */
  public GatewaySettingsBuilder limitsOrganisationHeaders(boolean value) {
    return set(SettingTable.LIMITS_ORGANISATION_HEADERS, value);
  }

  /** Sets {@code plans}; the order counts, so not a {@code Map.of} of several. */
  public GatewaySettingsBuilder plans(Map<String, GatewaySettings.Plan> value) {
    return set(SettingTable.PLANS, new LinkedHashMap<>(value));
  }

  /** Sets {@code presets}. */
  public GatewaySettingsBuilder presets(Map<String, GatewaySettings.Preset> value) {
    return set(SettingTable.PRESETS, new LinkedHashMap<>(value));
  }

  /** Sets {@code timeouts.connect}. */
  public GatewaySettingsBuilder timeoutsConnect(Duration value) {
    return set(SettingTable.TIMEOUTS_CONNECT, value);
  }

  /** Sets {@code timeouts.first-event}. */
  public GatewaySettingsBuilder timeoutsFirstEvent(Duration value) {
    return set(SettingTable.TIMEOUTS_FIRST_EVENT, value);
  }

  /** Sets {@code timeouts.idle}. */
  public GatewaySettingsBuilder timeoutsIdle(Duration value) {
    return set(SettingTable.TIMEOUTS_IDLE, value);
  }

  /** Sets {@code timeouts.idle-content}. */
  public GatewaySettingsBuilder timeoutsIdleContent(Duration value) {
    return set(SettingTable.TIMEOUTS_IDLE_CONTENT, value);
  }

  /** Sets {@code timeouts.slow-client}. */
  public GatewaySettingsBuilder timeoutsSlowClient(Duration value) {
    return set(SettingTable.TIMEOUTS_SLOW_CLIENT, value);
  }

  /** Sets {@code timeouts.total}. */
  public GatewaySettingsBuilder timeoutsTotal(Duration value) {
    return set(SettingTable.TIMEOUTS_TOTAL, value);
  }

  /** Sets {@code timeouts.heartbeat}; zero is {@code off}. */
  public GatewaySettingsBuilder timeoutsHeartbeat(Duration value) {
    return set(SettingTable.TIMEOUTS_HEARTBEAT, value);
  }

  /** Sets {@code timeouts.early-commit}; zero is {@code off}. */
  public GatewaySettingsBuilder timeoutsEarlyCommit(Duration value) {
    return set(SettingTable.TIMEOUTS_EARLY_COMMIT, value);
  }

  /** Sets {@code buffers.soft}. */
  public GatewaySettingsBuilder buffersSoft(ByteSize value) {
    return set(SettingTable.BUFFERS_SOFT, value);
  }

  /** Sets {@code buffers.hard}. */
  public GatewaySettingsBuilder buffersHard(ByteSize value) {
    return set(SettingTable.BUFFERS_HARD, value);
  }

  /** Sets {@code buffers.hold}. */
  public GatewaySettingsBuilder buffersHold(ByteSize value) {
    return set(SettingTable.BUFFERS_HOLD, value);
  }

  /** Sets {@code buffers.max-event}. */
  public GatewaySettingsBuilder buffersMaxEvent(ByteSize value) {
    return set(SettingTable.BUFFERS_MAX_EVENT, value);
  }

  /** Sets {@code retry.max-attempts}. */
  public GatewaySettingsBuilder retryMaxAttempts(int value) {
    return set(SettingTable.RETRY_MAX_ATTEMPTS, value);
  }

  /** Sets {@code retry.wait-duration}. */
  public GatewaySettingsBuilder retryWaitDuration(Duration value) {
    return set(SettingTable.RETRY_WAIT_DURATION, value);
  }

  /** Sets {@code retry.max-wait-duration}. */
  public GatewaySettingsBuilder retryMaxWaitDuration(Duration value) {
    return set(SettingTable.RETRY_MAX_WAIT_DURATION, value);
  }

  /** Sets {@code retry.budget-percent}. */
  public GatewaySettingsBuilder retryBudgetPercent(int value) {
    return set(SettingTable.RETRY_BUDGET_PERCENT, value);
  }

  /** Sets {@code retry.budget-per-second}. */
  public GatewaySettingsBuilder retryBudgetPerSecond(int value) {
    return set(SettingTable.RETRY_BUDGET_PER_SECOND, value);
  }

  /** Sets {@code retry.hold}. */
  public GatewaySettingsBuilder retryHold(GatewaySettings.Hold value) {
    return set(SettingTable.RETRY_HOLD, value);
  }

  /** Sets {@code retry.hold-time}. */
  public GatewaySettingsBuilder retryHoldTime(Duration value) {
    return set(SettingTable.RETRY_HOLD_TIME, value);
  }

  /**
   * Sets {@code retry.fallbacks}: the models that are asked instead, in order, by the model that
   * the client asked for. An alias of {@code models.aliases} is none of them.
   */
  public GatewaySettingsBuilder retryFallbacks(Map<String, List<String>> value) {
    Map<String, List<String>> copy = new LinkedHashMap<>();
    value.forEach((model, others) -> copy.put(model, List.copyOf(others)));
    return set(SettingTable.RETRY_FALLBACKS, copy);
  }

  /** Sets {@code breaker.enabled}. */
  public GatewaySettingsBuilder breakerEnabled(boolean value) {
    return set(SettingTable.BREAKER_ENABLED, value);
  }

  /** Sets {@code breaker.failure-rate-threshold}. */
  public GatewaySettingsBuilder breakerFailureRateThreshold(int value) {
    return set(SettingTable.BREAKER_FAILURE_RATE_THRESHOLD, value);
  }

  /** Sets {@code breaker.sliding-window-size}. */
  public GatewaySettingsBuilder breakerSlidingWindowSize(int value) {
    return set(SettingTable.BREAKER_SLIDING_WINDOW_SIZE, value);
  }

  /** Sets {@code breaker.minimum-number-of-calls}. */
  public GatewaySettingsBuilder breakerMinimumNumberOfCalls(int value) {
    return set(SettingTable.BREAKER_MINIMUM_NUMBER_OF_CALLS, value);
  }

  /** Sets {@code breaker.wait-duration-in-open-state}. */
  public GatewaySettingsBuilder breakerWaitDurationInOpenState(Duration value) {
    return set(SettingTable.BREAKER_WAIT_DURATION_IN_OPEN_STATE, value);
  }

  /** Sets {@code breaker.permitted-number-of-calls-in-half-open-state}. */
  public GatewaySettingsBuilder breakerPermittedNumberOfCallsInHalfOpenState(int value) {
    return set(SettingTable.BREAKER_PERMITTED_NUMBER_OF_CALLS_IN_HALF_OPEN_STATE, value);
  }

  /** Sets {@code disconnect.policy}. */
  public GatewaySettingsBuilder disconnectPolicy(GatewaySettings.DisconnectPolicy value) {
    return set(SettingTable.DISCONNECT_POLICY, value);
  }

  /** Sets {@code disconnect.drain-time}. */
  public GatewaySettingsBuilder disconnectDrainTime(Duration value) {
    return set(SettingTable.DISCONNECT_DRAIN_TIME, value);
  }

  /** Sets {@code disconnect.drain-tokens}. */
  public GatewaySettingsBuilder disconnectDrainTokens(int value) {
    return set(SettingTable.DISCONNECT_DRAIN_TOKENS, value);
  }

  /** Sets {@code blocking.max-concurrent}. */
  public GatewaySettingsBuilder blockingMaxConcurrent(int value) {
    return set(SettingTable.BLOCKING_MAX_CONCURRENT, value);
  }

  /** Sets {@code blocking.writers}. */
  public GatewaySettingsBuilder blockingWriters(GatewaySettings.Writers value) {
    return set(SettingTable.BLOCKING_WRITERS, value);
  }

  /** Sets {@code blocking.writer-threads}. */
  public GatewaySettingsBuilder blockingWriterThreads(int value) {
    return set(SettingTable.BLOCKING_WRITER_THREADS, value);
  }

  /** Sets {@code listeners.threads}. */
  public GatewaySettingsBuilder listenersThreads(int value) {
    return set(SettingTable.LISTENERS_THREADS, value);
  }

  /** Sets {@code listeners.max-message}. */
  public GatewaySettingsBuilder listenersMaxMessage(ByteSize value) {
    return set(SettingTable.LISTENERS_MAX_MESSAGE, value);
  }

  /** Sets {@code listeners.max-waiting}. */
  public GatewaySettingsBuilder listenersMaxWaiting(ByteSize value) {
    return set(SettingTable.LISTENERS_MAX_WAITING, value);
  }

  /** Sets {@code usage.log}. */
  public GatewaySettingsBuilder usageLog(boolean value) {
    return set(SettingTable.USAGE_LOG, value);
  }

  /** Sets {@code usage.prices-file}. */
  public GatewaySettingsBuilder usagePricesFile(Path value) {
    return set(SettingTable.USAGE_PRICES_FILE, value);
  }

  /** Sets {@code usage.queue}. */
  public GatewaySettingsBuilder usageQueue(int value) {
    return set(SettingTable.USAGE_QUEUE, value);
  }

  /** Sets {@code usage.spool}. */
  public GatewaySettingsBuilder usageSpool(Path value) {
    return set(SettingTable.USAGE_SPOOL, value);
  }

  /** Sets {@code usage.spool-max}. */
  public GatewaySettingsBuilder usageSpoolMax(ByteSize value) {
    return set(SettingTable.USAGE_SPOOL_MAX, value);
  }

  /** Sets {@code usage.jdbc-url}; {@code usage.data-source} must then be absent. */
  public GatewaySettingsBuilder usageJdbcUrl(String value) {
    return set(SettingTable.USAGE_JDBC_URL, value);
  }

  /** Sets {@code usage.jdbc-user}. */
  public GatewaySettingsBuilder usageJdbcUser(String value) {
    return set(SettingTable.USAGE_JDBC_USER, value);
  }

  /** Sets {@code usage.jdbc-password}. */
  public GatewaySettingsBuilder usageJdbcPassword(Secret value) {
    return set(SettingTable.USAGE_JDBC_PASSWORD, value);
  }

  /** Sets {@code usage.jdbc-driver}. */
  public GatewaySettingsBuilder usageJdbcDriver(String value) {
    return set(SettingTable.USAGE_JDBC_DRIVER, value);
  }

  /** Sets {@code usage.data-source}; {@code usage.jdbc-url} must then be absent. */
  public GatewaySettingsBuilder usageDataSource(String value) {
    return set(SettingTable.USAGE_DATA_SOURCE, value);
  }

  /** Sets {@code usage.report-role}. */
  public GatewaySettingsBuilder usageReportRole(String value) {
    return set(SettingTable.USAGE_REPORT_ROLE, value);
  }

  /** Sets {@code usage.report-key}. */
  public GatewaySettingsBuilder usageReportKey(Secret value) {
    return set(SettingTable.USAGE_REPORT_KEY, value);
  }

  /** Sets {@code metrics.addresses}. */
  public GatewaySettingsBuilder metricsAddresses(List<AddressBlock> value) {
    return set(SettingTable.METRICS_ADDRESSES, List.copyOf(value));
  }

  /** Sets {@code shutdown.drain}. */
  public GatewaySettingsBuilder shutdownDrain(Duration value) {
    return set(SettingTable.SHUTDOWN_DRAIN, value);
  }

  /**
   * Checks everything and returns the settings. Reads no file: {@link
   * GatewaySettings.Upstream#readApiKey} does.
   *
   * @throws SettingsException with all problems, if there is any
   */
  public GatewaySettings build() {
    Problems problems = new Problems();
    GatewaySettings settings = buildInto(problems);
    problems.throwIfAny();
    return requireNonNull(settings, "settings");
  }

  /** Returns the settings, or adds what is wrong with them and returns null. */
  @Nullable GatewaySettings buildInto(Problems problems) {
    GatewaySettings.Upstream upstream = attempt(problems, this::upstream);
    GatewaySettings.Request request = attempt(problems, this::request);
    GatewaySettings.Identity identity = attempt(problems, this::identity);
    GatewaySettings.CrossSite crossSite = attempt(problems, this::crossSite);
    GatewaySettings.Models models =
        attempt(problems, () -> new GatewaySettings.Models(value(SettingTable.MODELS_ALIASES)));
    GatewaySettings.Limits limits = attempt(problems, this::limits);
    GatewaySettings.Timeouts timeouts = attempt(problems, this::timeouts);
    GatewaySettings.Buffers buffers = attempt(problems, this::buffers);
    GatewaySettings.Retry retry = attempt(problems, this::retry);
    GatewaySettings.Breaker breaker = attempt(problems, this::breaker);
    GatewaySettings.Disconnect disconnect = attempt(problems, this::disconnect);
    GatewaySettings.Blocking blocking =
        attempt(
            problems,
            () ->
                new GatewaySettings.Blocking(
                    value(SettingTable.BLOCKING_MAX_CONCURRENT),
                    value(SettingTable.BLOCKING_WRITERS),
                    value(SettingTable.BLOCKING_WRITER_THREADS)));
    GatewaySettings.Listeners listeners = attempt(problems, this::listeners);
    GatewaySettings.Usage usage = attempt(problems, this::usage);
    GatewaySettings.Metrics metrics =
        attempt(problems, () -> new GatewaySettings.Metrics(value(SettingTable.METRICS_ADDRESSES)));
    GatewaySettings.Shutdown shutdown =
        attempt(problems, () -> new GatewaySettings.Shutdown(value(SettingTable.SHUTDOWN_DRAIN)));
    if (upstream == null
        || request == null
        || identity == null
        || crossSite == null
        || models == null
        || limits == null
        || timeouts == null
        || buffers == null
        || retry == null
        || breaker == null
        || disconnect == null
        || blocking == null
        || listeners == null
        || usage == null
        || metrics == null
        || shutdown == null) {
      // Without its groups the whole cannot be made, so its own checks are done here.
      boolean hasKey =
          has(SettingTable.UPSTREAM_API_KEY)
              || has(SettingTable.UPSTREAM_API_KEY_FILE)
              || apiKeySource != null;
      GatewaySettings.checkTop(
          problems,
          value(SettingTable.ENABLED),
          value(SettingTable.MOUNT),
          hasKey,
          value(SettingTable.UPSTREAM_MEMBERS));
      AdmissionRules.check(
          problems,
          value(SettingTable.PLANS),
          value(SettingTable.PRESETS),
          value(SettingTable.IDENTITY_SOURCES),
          valueOrNull(SettingTable.IDENTITY_GROUPS_HEADER));
      AdmissionRules.checkFallbacks(
          problems, value(SettingTable.MODELS_ALIASES), value(SettingTable.RETRY_FALLBACKS));
      return null;
    }
    return attempt(
        problems,
        () ->
            new GatewaySettings(
                value(SettingTable.ENABLED),
                value(SettingTable.MOUNT),
                upstream,
                request,
                identity,
                crossSite,
                models,
                limits,
                value(SettingTable.PLANS),
                value(SettingTable.PRESETS),
                timeouts,
                buffers,
                retry,
                breaker,
                disconnect,
                blocking,
                listeners,
                usage,
                metrics,
                shutdown));
  }

  private GatewaySettings.Upstream upstream() {
    return new GatewaySettings.Upstream(
        value(SettingTable.UPSTREAM_BASE_URL),
        valueOrNull(SettingTable.UPSTREAM_API_KEY),
        valueOrNull(SettingTable.UPSTREAM_API_KEY_FILE),
        apiKeySource,
        value(SettingTable.UPSTREAM_SELECTION),
        value(SettingTable.UPSTREAM_MEMBERS),
        valueOrNull(SettingTable.UPSTREAM_CA_FILE),
        value(SettingTable.UPSTREAM_MAX_CONNECTIONS),
        value(SettingTable.UPSTREAM_IO_THREADS),
        value(SettingTable.UPSTREAM_BUFFER_SIZE),
        value(SettingTable.UPSTREAM_CONNECTION_IDLE),
        value(SettingTable.UPSTREAM_CONNECTION_TTL),
        value(SettingTable.UPSTREAM_FORWARD_HEADERS));
  }

  private GatewaySettings.Request request() {
    return new GatewaySettings.Request(
        value(SettingTable.REQUEST_MAX_BODY),
        value(SettingTable.REQUEST_BODY_TIMEOUT),
        value(SettingTable.REQUEST_EXTRA_ENDPOINTS));
  }

  private GatewaySettings.Identity identity() {
    return new GatewaySettings.Identity(
        value(SettingTable.IDENTITY_SOURCES),
        valueOrNull(SettingTable.IDENTITY_SESSION_ATTRIBUTE),
        valueOrNull(SettingTable.IDENTITY_HEADER),
        valueOrNull(SettingTable.IDENTITY_GROUPS_HEADER),
        value(SettingTable.IDENTITY_TRUSTED_PROXIES),
        value(SettingTable.IDENTITY_TRUSTED_HOPS),
        valueOrNull(SettingTable.IDENTITY_KEYS_FILE));
  }

  private GatewaySettings.CrossSite crossSite() {
    return new GatewaySettings.CrossSite(
        value(SettingTable.CROSS_SITE_ORIGINS), value(SettingTable.CROSS_SITE_SAME_SITE));
  }

  private GatewaySettings.Limits limits() {
    return new GatewaySettings.Limits(
        value(SettingTable.LIMITS_MAX_USERS),
        value(SettingTable.LIMITS_TIME_ZONE),
        value(SettingTable.LIMITS_WAITING_PLACES),
        value(SettingTable.LIMITS_WAITING_PLACES_PER_USER),
        value(SettingTable.LIMITS_WAITING_LONGEST),
        value(SettingTable.LIMITS_ORGANISATION_HEADERS));
  }

  private GatewaySettings.Timeouts timeouts() {
    return new GatewaySettings.Timeouts(
        value(SettingTable.TIMEOUTS_CONNECT),
        value(SettingTable.TIMEOUTS_FIRST_EVENT),
        value(SettingTable.TIMEOUTS_IDLE),
        value(SettingTable.TIMEOUTS_IDLE_CONTENT),
        value(SettingTable.TIMEOUTS_SLOW_CLIENT),
        value(SettingTable.TIMEOUTS_TOTAL),
        value(SettingTable.TIMEOUTS_HEARTBEAT),
        value(SettingTable.TIMEOUTS_EARLY_COMMIT));
  }

  private GatewaySettings.Buffers buffers() {
    return new GatewaySettings.Buffers(
        value(SettingTable.BUFFERS_SOFT),
        value(SettingTable.BUFFERS_HARD),
        value(SettingTable.BUFFERS_HOLD),
        value(SettingTable.BUFFERS_MAX_EVENT));
  }

  private GatewaySettings.Retry retry() {
    return new GatewaySettings.Retry(
        value(SettingTable.RETRY_MAX_ATTEMPTS),
        value(SettingTable.RETRY_WAIT_DURATION),
        value(SettingTable.RETRY_MAX_WAIT_DURATION),
        value(SettingTable.RETRY_BUDGET_PERCENT),
        value(SettingTable.RETRY_BUDGET_PER_SECOND),
        value(SettingTable.RETRY_HOLD),
        value(SettingTable.RETRY_HOLD_TIME),
        value(SettingTable.RETRY_FALLBACKS));
  }

  private GatewaySettings.Breaker breaker() {
    return new GatewaySettings.Breaker(
        value(SettingTable.BREAKER_ENABLED),
        value(SettingTable.BREAKER_FAILURE_RATE_THRESHOLD),
        value(SettingTable.BREAKER_SLIDING_WINDOW_SIZE),
        value(SettingTable.BREAKER_MINIMUM_NUMBER_OF_CALLS),
        value(SettingTable.BREAKER_WAIT_DURATION_IN_OPEN_STATE),
        value(SettingTable.BREAKER_PERMITTED_NUMBER_OF_CALLS_IN_HALF_OPEN_STATE));
  }

  private GatewaySettings.Disconnect disconnect() {
    return new GatewaySettings.Disconnect(
        value(SettingTable.DISCONNECT_POLICY),
        value(SettingTable.DISCONNECT_DRAIN_TIME),
        value(SettingTable.DISCONNECT_DRAIN_TOKENS));
  }

  private GatewaySettings.Listeners listeners() {
    return new GatewaySettings.Listeners(
        value(SettingTable.LISTENERS_THREADS),
        value(SettingTable.LISTENERS_MAX_MESSAGE),
        value(SettingTable.LISTENERS_MAX_WAITING));
  }

  private GatewaySettings.Usage usage() {
    return new GatewaySettings.Usage(
        value(SettingTable.USAGE_LOG),
        valueOrNull(SettingTable.USAGE_PRICES_FILE),
        value(SettingTable.USAGE_QUEUE),
        valueOrNull(SettingTable.USAGE_SPOOL),
        value(SettingTable.USAGE_SPOOL_MAX),
        valueOrNull(SettingTable.USAGE_JDBC_URL),
        valueOrNull(SettingTable.USAGE_JDBC_USER),
        valueOrNull(SettingTable.USAGE_JDBC_PASSWORD),
        valueOrNull(SettingTable.USAGE_JDBC_DRIVER),
        valueOrNull(SettingTable.USAGE_DATA_SOURCE),
        valueOrNull(SettingTable.USAGE_REPORT_ROLE),
        valueOrNull(SettingTable.USAGE_REPORT_KEY));
  }

  private static <R> @Nullable R attempt(Problems problems, Supplier<R> group) {
    try {
      return group.get();
    } catch (SettingsException e) {
      e.details().forEach(problems::add);
      return null;
    }
  }

  <T> GatewaySettingsBuilder set(Setting<T> setting, T value) {
    values.put(setting, requireNonNull(value, setting.key()));
    return this;
  }

  /** Whether the setting was given, rather than left at its default. */
  boolean has(Setting<?> setting) {
    return values.containsKey(setting);
  }

  <T> @Nullable T valueOrNull(Setting<T> setting) {
    // The only way in is set(), which takes the value that belongs to the setting.
    @SuppressWarnings("unchecked")
    T value = (T) values.get(setting);
    return value == null ? setting.defaultValue() : value;
  }

  private <T> T value(Setting<T> setting) {
    return requireNonNull(valueOrNull(setting), setting.key());
  }

  /** Returns nothing but the class: the values may be secret, and are not checked yet. */
  @Override
  public String toString() {
    return "GatewaySettingsBuilder";
  }
}
