package dev.headrace.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The table of all settings. Reading, checking, environment variables, suggestions, the printed
 * settings, the JSON schema and the settings reference all follow from it, so that a setting is
 * described once. Internal: may change in any release.
 *
 * <p>To add a setting: a row here, a component in its record of {@link GatewaySettings}, a method
 * in {@link GatewaySettingsBuilder}, a paragraph in {@code config/headrace.yaml}. Tests name what
 * was forgotten. A list of records or a map needs a {@link SettingType} put together from others,
 * and nothing more.
 */
public final class SettingTable {
  private static final List<Setting<?>> ALL = new ArrayList<>();

  static final Setting<Boolean> ENABLED =
      row(
          "enabled",
          SettingType.BOOLEAN,
          "true",
          Range.any(),
          GatewaySettings::enabled,
          "Whether the gateway is there at all. When false, nothing is registered with the servlet"
              + " container.");

  static final Setting<String> MOUNT =
      row(
          "mount",
          SettingType.TEXT,
          "/claude",
          Range.mount(),
          GatewaySettings::mount,
          "Path within the web application under which the gateway answers; the messages endpoint"
              + " is <mount>/v1/messages. In headrace.war the default is /.");

  static final Setting<URI> UPSTREAM_BASE_URL =
      row(
          "upstream.base-url",
          SettingType.URL,
          "https://api.anthropic.com",
          Range.baseUrl(),
          settings -> settings.upstream().baseUrl(),
          "Where the API is: everything in its URLs before /v1.");

  static final Setting<Secret> UPSTREAM_API_KEY =
      row(
          "upstream.api-key",
          SettingType.SECRET,
          null,
          Range.apiKey(),
          settings -> settings.upstream().apiKey(),
          "The API key, normally ${ANTHROPIC_API_KEY}. Exactly one of upstream.api-key and"
              + " upstream.api-key-file is needed, unless each of upstream.members has a key.");

  static final Setting<Path> UPSTREAM_API_KEY_FILE =
      row(
          "upstream.api-key-file",
          SettingType.FILE,
          null,
          Range.any(),
          settings -> settings.upstream().apiKeyFile(),
          "File that contains the API key and nothing else; white space around it is ignored. It is"
              + " read once, at the start. A relative path starts at the folder of the settings"
              + " file.");

  static final Setting<GatewaySettings.Selection> UPSTREAM_SELECTION =
      row(
          "upstream.selection",
          SettingType.oneOf(GatewaySettings.Selection.class),
          "ordered",
          Range.any(),
          settings -> settings.upstream().selection(),
          "How one of several upstream.members is chosen for an attempt: ordered takes the"
              + " first that is not resting, weighted one of those at random by weight. A member"
              + " rests for everybody who asks for messages of the same model, speed and workspace as"
              + " long as its answer 429 or 529 asked with retry-after, and for all while its circuit breaker is open."
              + " One whose key or account was refused (401, or a spend limit) is asked after the others for a minute.");

  static final Setting<List<GatewaySettings.Member>> UPSTREAM_MEMBERS =
      row(
          "upstream.members",
          SettingType.listOf(MemberProperties.MEMBER)
              .sized(0, 20, "members")
              .distinctBy(MemberProperties.NAME),
          "",
          Range.checkedByType("at most 20 members, no name twice"),
          settings -> settings.upstream().members(),
          "Several upstreams, or several keys of one, to choose from. Without members there is"
              + " one, which is what the other settings of upstream say. Only the file and code"
              + " can set it, not a variable.");

  static final Setting<Path> UPSTREAM_CA_FILE =
      row(
          "upstream.ca-file",
          SettingType.FILE,
          null,
          Range.any(),
          settings -> settings.upstream().caFile(),
          "PEM file with certificates to trust besides those of the Java installation, for a"
              + " corporate proxy that opens TLS. A relative path starts at the folder of the"
              + " settings file.");

  static final Setting<Integer> UPSTREAM_MAX_CONNECTIONS =
      row(
          "upstream.max-connections",
          SettingType.INTEGER,
          "10000",
          Range.between(1, 100_000),
          settings -> settings.upstream().maxConnections(),
          "Most connections to the upstream, and so most exchanges at the same time; further"
              + " requests are rejected at once.");

  static final Setting<Integer> UPSTREAM_IO_THREADS =
      row(
          "upstream.io-threads",
          SettingType.INTEGER,
          "0",
          Range.between(0, 64),
          settings -> settings.upstream().ioThreads(),
          "Threads that read from the upstream and write to the clients. 0 means one per"
              + " processor, but at most 4.");

  static final Setting<ByteSize> UPSTREAM_BUFFER_SIZE =
      row(
          "upstream.buffer-size",
          SettingType.SIZE,
          "2KiB",
          Range.between(ByteSize.ofKibibytes(2), ByteSize.ofMebibytes(1)),
          settings -> settings.upstream().bufferSize(),
          "Size of the buffers of one upstream connection; every open one keeps three. How much is"
              + " read at a time does not depend on it.");

  static final Setting<Duration> UPSTREAM_CONNECTION_IDLE =
      row(
          "upstream.connection-idle",
          SettingType.DURATION,
          "4m",
          Range.aboveZero("4m"),
          settings -> settings.upstream().connectionIdle(),
          "How long an unused upstream connection is kept for the next request.");

  static final Setting<Duration> UPSTREAM_CONNECTION_TTL =
      row(
          "upstream.connection-ttl",
          SettingType.DURATION,
          "5m",
          Range.aboveZero("5m"),
          settings -> settings.upstream().connectionTtl(),
          "Longest life of an upstream connection. A running stream is not cut by it; the"
              + " connection is just not used again.");

  static final Setting<List<String>> UPSTREAM_FORWARD_HEADERS =
      row(
          "upstream.forward-headers",
          SettingType.listOf(SettingType.HEADER),
          "",
          Range.headers(),
          settings -> settings.upstream().forwardHeaders(),
          "Request headers of the client that travel to the upstream besides anthropic-*.");

  static final Setting<ByteSize> REQUEST_MAX_BODY =
      row(
          "request.max-body",
          SettingType.SIZE,
          "32MiB",
          Range.between(ByteSize.ofKibibytes(1), ByteSize.ofMebibytes(1024)),
          settings -> settings.request().maxBody(),
          "Largest request body. A larger one is rejected with status 413 before it is read"
              + " whole. The API itself takes 32 MB.");

  static final Setting<Duration> REQUEST_BODY_TIMEOUT =
      row(
          "request.body-timeout",
          SettingType.DURATION,
          "60s",
          Range.aboveZero("60s"),
          settings -> settings.request().bodyTimeout(),
          "Whole time that a client has for sending the request body.");

  static final Setting<List<EndpointTemplate>> REQUEST_EXTRA_ENDPOINTS =
      row(
          "request.extra-endpoints",
          SettingType.listOf(SettingType.ENDPOINT),
          "",
          Range.endpoints(),
          settings -> settings.request().extraEndpoints(),
          "Endpoints opened besides messages, count_tokens and models, such as GET"
              + " /v1/files/{id}. GET is refused with 403 to callers whose plan says raw-messages:"
              + " false, POST and DELETE to those whose plan has a rule or a limit.");

  static final Setting<List<IdentitySource>> IDENTITY_SOURCES =
      row(
          "identity.sources",
          SettingType.listOf(SettingType.oneOf(IdentitySource.class)).distinct(),
          "",
          Range.identitySources(),
          settings -> settings.identity().sources(),
          "Where the gateway looks for who is calling; the first that knows somebody decides:"
              + " principal (the login of the container), session (identity.session-attribute),"
              + " header (identity.header, of a proxy), key (a gateway key), resolver (the"
              + " application's UserResolver), address (the client's, which names everybody). Who is"
              + " nobody gets 401. Without sources nobody is identified, and nobody has to be.");

  static final Setting<String> IDENTITY_SESSION_ATTRIBUTE =
      row(
          "identity.session-attribute",
          SettingType.TEXT,
          null,
          Range.notBlank("the name of a session attribute"),
          settings -> settings.identity().sessionAttribute(),
          "Session attribute that holds the user. Needed with the source session.");

  static final Setting<String> IDENTITY_HEADER =
      row(
          "identity.header",
          SettingType.FIELD_NAME,
          null,
          Range.identityHeader(),
          settings -> settings.identity().header(),
          "Request header that holds the user, believed only from identity.trusted-proxies. Needed"
              + " with the source header.");

  static final Setting<String> IDENTITY_GROUPS_HEADER =
      row(
          "identity.groups-header",
          SettingType.FIELD_NAME,
          null,
          Range.identityHeader(),
          settings -> settings.identity().groupsHeader(),
          "Request header that holds the user's groups, separated by commas. Only with the source"
              + " header.");

  static final Setting<List<AddressBlock>> IDENTITY_TRUSTED_PROXIES =
      row(
          "identity.trusted-proxies",
          SettingType.listOf(GatewayKeyProperties.ADDRESS_BLOCK)
              .sized(0, 1_000, "addresses")
              .distinct(),
          "",
          Range.checkedByType("IP addresses and blocks"),
          settings -> settings.identity().trustedProxies(),
          "Proxies whose identity headers and X-Forwarded-For are believed. They must remove these"
              + " headers from what clients send.");

  static final Setting<Integer> IDENTITY_TRUSTED_HOPS =
      row(
          "identity.trusted-hops",
          SettingType.INTEGER,
          "0",
          Range.between(0, 10),
          settings -> settings.identity().trustedHops(),
          "How many of these proxies a request passes: the client's address is the entry of"
              + " X-Forwarded-For so far from its end. 0 means that it is not looked at.");

  static final Setting<Path> IDENTITY_KEYS_FILE =
      row(
          "identity.keys-file",
          SettingType.FILE,
          null,
          Range.any(),
          settings -> settings.identity().keysFile(),
          "File with the gateway keys. Needed with the source key. A relative path starts at the"
              + " folder of the settings file.");

  static final Setting<List<String>> CROSS_SITE_ORIGINS =
      row(
          "cross-site.origins",
          SettingType.listOf(SettingType.ORIGIN).sized(0, 1_000, "origins").distinct(),
          "",
          Range.checkedByType("scheme://host or scheme://host:port"),
          settings -> settings.crossSite().origins(),
          "Origins whose pages may call the gateway in their visitors' names and read its answers"
              + " (CORS), such as https://shop.example.com.");

  static final Setting<Boolean> CROSS_SITE_SAME_SITE =
      row(
          "cross-site.same-site",
          SettingType.BOOLEAN,
          "false",
          Range.any(),
          settings -> settings.crossSite().sameSite(),
          "Whether pages of other hosts of the same site (sibling subdomains) may call.");

  static final Setting<Map<String, String>> MODELS_ALIASES =
      row(
          "models.aliases",
          SettingType.mapOf(SettingType.MODEL, SettingType.MODEL),
          "",
          Range.checkedByType("a model for each alias, which is no alias itself"),
          settings -> settings.models().aliases(),
          "Names that clients may say for models: the model that is asked, by alias. Only the file"
              + " and code can set it, not a variable.");

  static final Setting<Integer> LIMITS_MAX_USERS =
      row(
          "limits.max-users",
          SettingType.INTEGER,
          "100000",
          Range.between(100, 10_000_000),
          settings -> settings.limits().maxUsers(),
          "How many users the limits remember at most.");

  static final Setting<ZoneId> LIMITS_TIME_ZONE =
      row(
          "limits.time-zone",
          SettingType.TIME_ZONE,
          "UTC",
          Range.any(),
          settings -> settings.limits().timeZone(),
          "Time zone in which the hours, days and months of budgets begin.");

  static final Setting<Integer> LIMITS_WAITING_PLACES =
      row(
          "limits.waiting-places",
          SettingType.INTEGER,
          "0",
          Range.between(0, 10_000),
          settings -> settings.limits().waitingPlaces(),
          "How many requests that are over a limit may wait for it instead of being refused. 0"
              + " means none.");

  static final Setting<Integer> LIMITS_WAITING_PLACES_PER_USER =
      row(
          "limits.waiting-places-per-user",
          SettingType.INTEGER,
          "4",
          Range.between(1, 10_000),
          settings -> settings.limits().waitingPlacesPerUser(),
          "How many of the limits.waiting-places one user may take.");

  static final Setting<Duration> LIMITS_WAITING_LONGEST =
      row(
          "limits.waiting-longest",
          SettingType.DURATION,
          "10s",
          Range.aboveZero("10s"),
          settings -> settings.limits().waitingLongest(),
          "How long a request waits at most before it is refused.");

  static final Setting<Boolean> LIMITS_ORGANISATION_HEADERS =
      row(
          "limits.organisation-headers",
          SettingType.BOOLEAN,
          "false",
          Range.any(),
          settings -> settings.limits().organisationHeaders(),
          "Whether the API's own anthropic-ratelimit-* headers, which tell the state of the whole"
              + " organisation, are passed on although there are plans. Without plans they are.");

  static final Setting<Map<String, GatewaySettings.Plan>> PLANS =
      row(
          "plans",
          SettingType.mapOf(SettingType.PLAN_NAME, PlanProperties.PLAN)
              .where(SettingTable::checkPlanName),
          "",
          Range.checkedByType("a plan under each name, none behind one for everybody"),
          GatewaySettings::plans,
          "What callers may do and use, by the name of the plan. The first plan that fits the"
              + " caller's roles is theirs; a plan without roles fits everybody. Without plans"
              + " everybody may do everything. Only the file and code can set it, not a variable.");

  static final Setting<Map<String, GatewaySettings.Preset>> PRESETS =
      row(
          "presets",
          SettingType.mapOf(SettingType.PRESET_NAME, PresetProperties.PRESET)
              .where(SettingTable::checkPresetName),
          "",
          Range.checkedByType("a preset under each name"),
          GatewaySettings::presets,
          "Recipes for requests, by the name in their URL, so that a browser may send only what a"
              + " user types. Only the file and code can set it, not a variable.");

  static final Setting<Duration> TIMEOUTS_CONNECT =
      row(
          "timeouts.connect",
          SettingType.DURATION,
          "5s",
          Range.aboveZero("5s"),
          settings -> settings.timeouts().connect(),
          "Longest wait for a connection to the upstream, per attempt.");

  static final Setting<Duration> TIMEOUTS_FIRST_EVENT =
      row(
          "timeouts.first-event",
          SettingType.DURATION,
          "120s",
          Range.aboveZero("120s"),
          settings -> settings.timeouts().firstEvent(),
          "Longest wait from the start of an attempt to the first event of the answer, or to the"
              + " head of an answer that is not a stream.");

  static final Setting<Duration> TIMEOUTS_IDLE =
      row(
          "timeouts.idle",
          SettingType.DURATION,
          "120s",
          Range.aboveZero("120s"),
          settings -> settings.timeouts().idle(),
          "Longest silence of the upstream in the middle of an answer. Then the client gets an"
              + " error event.");

  static final Setting<Duration> TIMEOUTS_IDLE_CONTENT =
      row(
          "timeouts.idle-content",
          SettingType.DURATION,
          "10m",
          Range.aboveZero("10m"),
          settings -> settings.timeouts().idleContent(),
          "Longest time in the middle of an event stream without any event but ping. Then the"
              + " client gets an error event.");

  static final Setting<Duration> TIMEOUTS_SLOW_CLIENT =
      row(
          "timeouts.slow-client",
          SettingType.DURATION,
          "60s",
          Range.aboveZero("60s"),
          settings -> settings.timeouts().slowClient(),
          "How long a client may take nothing while data waits for it. Then the exchange is"
              + " cancelled.");

  static final Setting<Duration> TIMEOUTS_TOTAL =
      row(
          "timeouts.total",
          SettingType.DURATION,
          "30m",
          Range.zeroOrMore("no limit"),
          settings -> settings.timeouts().total(),
          "Longest life of an exchange, from the request to the last byte. 0 means no limit; else"
              + " at least timeouts.first-event.");

  static final Setting<Duration> TIMEOUTS_HEARTBEAT =
      row(
          "timeouts.heartbeat",
          SettingType.DURATION_OR_OFF,
          "10s",
          Range.zeroOrAtLeast(Duration.ofMillis(100), "no heartbeat"),
          settings -> settings.timeouts().heartbeat(),
          "After this much silence towards the client, a comment line is written into the event"
              + " stream. It keeps proxies from closing the connection, and it is how the gateway"
              + " notices that a client has left.");

  static final Setting<Duration> TIMEOUTS_EARLY_COMMIT =
      row(
          "timeouts.early-commit",
          SettingType.DURATION_OR_OFF,
          "off",
          Range.zeroOrAtLeast(Duration.ofMillis(100), "never"),
          settings -> settings.timeouts().earlyCommit(),
          "When a stream was asked for and nothing has come for so long, status 200 and heartbeats"
              + " are sent already, while attempts go on. What fails after that comes as an error"
              + " event.");

  static final Setting<ByteSize> BUFFERS_SOFT =
      row(
          "buffers.soft",
          SettingType.SIZE,
          "256KiB",
          Range.between(ByteSize.ofKibibytes(1), ByteSize.ofMebibytes(1024)),
          settings -> settings.buffers().soft(),
          "Per stream: while more than this waits for the client, the upstream is not read.");

  static final Setting<ByteSize> BUFFERS_HARD =
      row(
          "buffers.hard",
          SettingType.SIZE,
          "8MiB",
          Range.between(ByteSize.ofKibibytes(1), ByteSize.ofMebibytes(1024)),
          settings -> settings.buffers().hard(),
          "Per stream: when more than this waits for the client, the stream is ended. At least"
              + " buffers.soft.");

  static final Setting<ByteSize> BUFFERS_HOLD =
      row(
          "buffers.hold",
          SettingType.SIZE,
          "64KiB",
          Range.between(ByteSize.ofKibibytes(1), ByteSize.ofMebibytes(1024)),
          settings -> settings.buffers().hold(),
          "Most bytes held before the head of the response goes out. Also the size up to which a"
              + " JSON answer is held whole, and read for that even where buffers.soft is less; an"
              + " error that is longer is cut down to its type and message.");

  static final Setting<ByteSize> BUFFERS_MAX_EVENT =
      row(
          "buffers.max-event",
          SettingType.SIZE,
          "1MiB",
          Range.between(ByteSize.ofKibibytes(1), ByteSize.ofMebibytes(1024)),
          settings -> settings.buffers().maxEvent(),
          "Largest single event that the gateway looks into. A larger one is forwarded unread.");

  static final Setting<Integer> RETRY_MAX_ATTEMPTS =
      row(
          "retry.max-attempts",
          SettingType.INTEGER,
          "3",
          Range.between(1, 10),
          settings -> settings.retry().maxAttempts(),
          "Most upstream calls for one request, the first one and those to fallback models"
              + " included. A failed one is repeated only while nothing was sent to the client:"
              + " after a connect failure, a connection that was reset or cut,"
              + " timeouts.first-event or timeouts.idle, status 408, 429, 500, 502, 503, 504 or"
              + " 529, or a first event that says the same; x-should-retry of the API overrides"
              + " that. When they are used up, the client gets"
              + " x-should-retry: false, so that its SDK does not multiply them. With 1 the"
              + " gateway repeats nothing and leaves that to its clients.");

  static final Setting<Duration> RETRY_WAIT_DURATION =
      row(
          "retry.wait-duration",
          SettingType.DURATION,
          "500ms",
          Range.aboveZero("500ms"),
          settings -> settings.retry().waitDuration(),
          "Longest wait before the second attempt; it doubles with each further one. Each wait is"
              + " random, and while the doubling goes on not shorter than the one before it. After a 429 or 529 with"
              + " retry-after, the next attempt goes to another member at once, or waits for so"
              + " long.");

  static final Setting<Duration> RETRY_MAX_WAIT_DURATION =
      row(
          "retry.max-wait-duration",
          SettingType.DURATION,
          "8s",
          Range.aboveZero("8s"),
          settings -> settings.retry().maxWaitDuration(),
          "Where the doubling of retry.wait-duration ends. At least retry.wait-duration.");

  static final Setting<Integer> RETRY_BUDGET_PERCENT =
      row(
          "retry.budget-percent",
          SettingType.INTEGER,
          "20",
          Range.between(0, 100),
          settings -> settings.retry().budgetPercent(),
          "Retries that are allowed as a share of the requests of the last ten seconds, in"
              + " percent, so that an outage is not multiplied.");

  static final Setting<Integer> RETRY_BUDGET_PER_SECOND =
      row(
          "retry.budget-per-second",
          SettingType.INTEGER,
          "3",
          Range.between(0, 10_000),
          settings -> settings.retry().budgetPerSecond(),
          "Retries that are allowed each second whatever retry.budget-percent says, so that a"
              + " quiet gateway can retry too.");

  static final Setting<GatewaySettings.Hold> RETRY_HOLD =
      row(
          "retry.hold",
          SettingType.oneOf(GatewaySettings.Hold.class),
          "first-event",
          Range.any(),
          settings -> settings.retry().hold(),
          "Until when the beginning of an event stream is kept back, so that an attempt can"
              + " still be repeated: until its first event, or until the first one with content,"
              + " because an overload can be told second.");

  static final Setting<Duration> RETRY_HOLD_TIME =
      row(
          "retry.hold-time",
          SettingType.DURATION,
          "3s",
          Range.aboveZero("3s"),
          settings -> settings.retry().holdTime(),
          "With retry.hold: first-content, longest time that events are kept back. buffers.hold"
              + " limits their size.");

  static final Setting<Map<String, List<String>>> RETRY_FALLBACKS =
      row(
          "retry.fallbacks",
          SettingType.mapOf(
                  SettingType.MODEL,
                  SettingType.listOf(SettingType.MODEL).sized(1, 5, "models").distinct())
              .where(SettingTable::checkFallbacks),
          "",
          Range.checkedByType("1 to 5 other models for each model"),
          settings -> settings.retry().fallbacks(),
          "Models that are asked instead, in order, by the model that the client asked for."
              + " They take the last of the retry.max-attempts, and are asked at once where a limit"
              + " is not worth waiting for. Only the file and code can set it, not a variable.");

  static final Setting<Boolean> BREAKER_ENABLED =
      row(
          "breaker.enabled",
          SettingType.BOOLEAN,
          "true",
          Range.any(),
          settings -> settings.breaker().enabled(),
          "Whether a circuit breaker for each member stops the calls to an upstream that keeps"
              + " failing. While all are open, clients get 529.");

  static final Setting<Integer> BREAKER_FAILURE_RATE_THRESHOLD =
      row(
          "breaker.failure-rate-threshold",
          SettingType.INTEGER,
          "50",
          Range.between(1, 100),
          settings -> settings.breaker().failureRateThreshold(),
          "Percentage of failed attempts at which the circuit breaker of a member opens. 429"
              + " and a client that left count neither as failure nor as success.");

  static final Setting<Integer> BREAKER_SLIDING_WINDOW_SIZE =
      row(
          "breaker.sliding-window-size",
          SettingType.INTEGER,
          "50",
          Range.between(1, 10_000),
          settings -> settings.breaker().slidingWindowSize(),
          "How many of the last attempts at a member the percentage is taken from.");

  static final Setting<Integer> BREAKER_MINIMUM_NUMBER_OF_CALLS =
      row(
          "breaker.minimum-number-of-calls",
          SettingType.INTEGER,
          "20",
          Range.between(1, 10_000),
          settings -> settings.breaker().minimumNumberOfCalls(),
          "How many attempts there must have been before the percentage is taken. At most"
              + " breaker.sliding-window-size.");

  static final Setting<Duration> BREAKER_WAIT_DURATION_IN_OPEN_STATE =
      row(
          "breaker.wait-duration-in-open-state",
          SettingType.DURATION,
          "10s",
          Range.aboveZero("10s"),
          settings -> settings.breaker().waitDurationInOpenState(),
          "How long an open circuit breaker lets no attempt through.");

  static final Setting<Integer> BREAKER_PERMITTED_NUMBER_OF_CALLS_IN_HALF_OPEN_STATE =
      row(
          "breaker.permitted-number-of-calls-in-half-open-state",
          SettingType.INTEGER,
          "5",
          Range.between(1, 1_000),
          settings -> settings.breaker().permittedNumberOfCallsInHalfOpenState(),
          "How many attempts then try whether the upstream is back.");

  static final Setting<GatewaySettings.DisconnectPolicy> DISCONNECT_POLICY =
      row(
          "disconnect.policy",
          SettingType.oneOf(GatewaySettings.DisconnectPolicy.class),
          "cancel",
          Range.any(),
          settings -> settings.disconnect().policy(),
          "What happens to the upstream call when the client leaves in mid-answer: cancel ends"
              + " it, drain reads on for a while, so that its exact usage becomes known.");

  static final Setting<Duration> DISCONNECT_DRAIN_TIME =
      row(
          "disconnect.drain-time",
          SettingType.DURATION,
          "30s",
          Range.aboveZero("30s"),
          settings -> settings.disconnect().drainTime(),
          "With disconnect.policy: drain, longest time to read on.");

  static final Setting<Integer> DISCONNECT_DRAIN_TOKENS =
      row(
          "disconnect.drain-tokens",
          SettingType.INTEGER,
          "2000",
          Range.between(1, 1_000_000),
          settings -> settings.disconnect().drainTokens(),
          "With disconnect.policy: drain, most output tokens to read on, estimated from the bytes.");

  static final Setting<Integer> BLOCKING_MAX_CONCURRENT =
      row(
          "blocking.max-concurrent",
          SettingType.INTEGER,
          "16",
          Range.between(0, 10_000),
          settings -> settings.blocking().maxConcurrent(),
          "Where a filter in front of the gateway does not support asynchronous requests, or may"
              + " hold answers back that it wraps, each stream holds a thread of the container:"
              + " most such streams at the same time. 0 refuses them.");

  static final Setting<GatewaySettings.Writers> BLOCKING_WRITERS =
      row(
          "blocking.writers",
          SettingType.oneOf(GatewaySettings.Writers.class),
          "auto",
          Range.any(),
          settings -> settings.blocking().writers(),
          "Whether asynchronous answers are written on threads of the gateway's own, because the"
              + " container blocks in a write although it said that it was ready: auto does so on"
              + " Open Liberty, and on Tomcat over HTTP/2; always and never everywhere.");

  static final Setting<Integer> BLOCKING_WRITER_THREADS =
      row(
          "blocking.writer-threads",
          SettingType.INTEGER,
          "64",
          Range.between(1, 10_000),
          settings -> settings.blocking().writerThreads(),
          "Most of these threads. A client that does not read may hold one until"
              + " timeouts.slow-client.");

  static final Setting<Integer> LISTENERS_THREADS =
      row(
          "listeners.threads",
          SettingType.INTEGER,
          "2",
          Range.between(1, 64),
          settings -> settings.listeners().threads(),
          "Threads that the application's stream listeners are called on. Without listeners there"
              + " are none.");

  static final Setting<ByteSize> LISTENERS_MAX_MESSAGE =
      row(
          "listeners.max-message",
          SettingType.SIZE,
          "8MiB",
          Range.between(ByteSize.ofKibibytes(16), ByteSize.ofMebibytes(256)),
          settings -> settings.listeners().maxMessage(),
          "Largest message that is put together for listeners, in bytes of its events. Of a larger"
              + " one they only hear that it was.");

  static final Setting<ByteSize> LISTENERS_MAX_WAITING =
      row(
          "listeners.max-waiting",
          SettingType.SIZE,
          "64MiB",
          Range.between(ByteSize.ofMebibytes(1), ByteSize.ofMebibytes(1024)),
          settings -> settings.listeners().maxWaiting(),
          "Most memory, over all streams, for what waits to be taken by listeners. Messages that do"
              + " not fit are left out, with a warning.");

  static final Setting<Boolean> USAGE_LOG =
      row(
          "usage.log",
          SettingType.BOOLEAN,
          "true",
          Range.any(),
          settings -> settings.usage().log(),
          "Whether each usage record is written as one line of JSON to the logger"
              + " dev.headrace.usage.");

  static final Setting<Path> USAGE_PRICES_FILE =
      row(
          "usage.prices-file",
          SettingType.FILE,
          null,
          Range.any(),
          settings -> settings.usage().pricesFile(),
          "File with prices of your own: it replaces all rows of the models that it names, and its"
              + " factors hold for all models. A relative path starts at the folder of the settings"
              + " file.");

  static final Setting<Integer> USAGE_QUEUE =
      row(
          "usage.queue",
          SettingType.INTEGER,
          "10000",
          Range.between(100, 1_000_000),
          settings -> settings.usage().queue(),
          "Most usage records that wait in memory for each sink, at most half of them of requests"
              + " that never reached the API. Further ones are dropped, and counted.");

  static final Setting<Path> USAGE_SPOOL =
      row(
          "usage.spool",
          SettingType.FOLDER_TO_KEEP,
          null,
          Range.any(),
          settings -> settings.usage().spool(),
          "Folder in which usage records wait for the database, so that none is lost when it is"
              + " down or the gateway is killed. Needed with a database; no two gateways may share"
              + " it. A relative path starts at the folder of the settings file; within the"
              + " application it has to be absolute.");

  static final Setting<ByteSize> USAGE_SPOOL_MAX =
      row(
          "usage.spool-max",
          SettingType.SIZE,
          "1GiB",
          Range.between(ByteSize.ofMebibytes(1), ByteSize.ofMebibytes(1024 * 1024)),
          settings -> settings.usage().spoolMax(),
          "Most that one sink may keep in usage.spool, at most half of it for requests that never"
              + " reached the API. Beyond it the newest records are dropped, and counted.");

  static final Setting<String> USAGE_JDBC_URL =
      row(
          "usage.jdbc-url",
          SettingType.JDBC_URL,
          null,
          Range.checkedByType("without a password"),
          settings -> settings.usage().jdbcUrl(),
          "Database that keeps the usage records: PostgreSQL, MariaDB, MySQL or H2. The"
              + " application brings the driver. The tables headrace_usage and headrace_schema are"
              + " made there.");

  static final Setting<String> USAGE_JDBC_USER =
      row(
          "usage.jdbc-user",
          SettingType.TEXT,
          null,
          Range.any(),
          settings -> settings.usage().jdbcUser(),
          "User of usage.jdbc-url.");

  static final Setting<Secret> USAGE_JDBC_PASSWORD =
      row(
          "usage.jdbc-password",
          SettingType.SECRET,
          null,
          Range.any(),
          settings -> settings.usage().jdbcPassword(),
          "Password of usage.jdbc-user.");

  static final Setting<String> USAGE_JDBC_DRIVER =
      row(
          "usage.jdbc-driver",
          SettingType.TEXT,
          null,
          Range.any(),
          settings -> settings.usage().jdbcDriver(),
          "Class name of the JDBC driver, for one that Java does not find by itself, as in a web"
              + " application.");

  static final Setting<String> USAGE_DATA_SOURCE =
      row(
          "usage.data-source",
          SettingType.TEXT,
          null,
          Range.any(),
          settings -> settings.usage().dataSource(),
          "JNDI name of the container's data source for the database, such as jdbc/headrace,"
              + " instead of usage.jdbc-url.");

  static final Setting<String> USAGE_REPORT_ROLE =
      row(
          "usage.report-role",
          SettingType.TEXT,
          null,
          Range.any(),
          settings -> settings.usage().reportRole(),
          "Role of the container whose users may read the report at <mount>/ops/usage. With"
              + " neither this nor usage.report-key, or without a database, there is no report.");

  static final Setting<Secret> USAGE_REPORT_KEY =
      row(
          "usage.report-key",
          SettingType.SECRET,
          null,
          Range.reportKey(),
          settings -> settings.usage().reportKey(),
          "Key with which scripts may read the report, in the header x-api-key or as a bearer"
              + " token.");

  static final Setting<List<AddressBlock>> METRICS_ADDRESSES =
      row(
          "metrics.addresses",
          SettingType.listOf(GatewayKeyProperties.ADDRESS_BLOCK)
              .sized(0, 1_000, "addresses")
              .distinct(),
          "127.0.0.0/8, 0::1",
          Range.checkedByType("IP addresses and blocks"),
          settings -> settings.metrics().addresses(),
          "From where the metrics at ops/metrics of the WAR may be read. Behind"
              + " identity.trusted-proxies it is the client's address that counts.");

  static final Setting<Duration> SHUTDOWN_DRAIN =
      row(
          "shutdown.drain",
          SettingType.DURATION,
          "10s",
          Range.zeroOrMore("no waiting"),
          settings -> settings.shutdown().drain(),
          "How long closing the gateway waits for running exchanges before it ends them.");

  private SettingTable() {}

  /** Returns all settings, group by group, in the order of the settings file. */
  public static List<Setting<?>> all() {
    return List.copyOf(ALL);
  }

  private static void checkFallbacks(String model, List<String> fallbacks) throws BadValue {
    if (fallbacks.contains(model)) {
      throw BadValue.expected("other models than " + Shown.text(model) + " itself");
    }
  }

  private static void checkPlanName(String key, GatewaySettings.Plan plan) throws BadValue {
    checkName(key, plan.name());
  }

  private static void checkPresetName(String key, GatewaySettings.Preset preset) throws BadValue {
    checkName(key, preset.name());
  }

  /** Only code can give a record another name than its key. */
  private static void checkName(String key, String name) throws BadValue {
    if (!key.equals(name)) {
      throw BadValue.noted("has the name " + Shown.text(name), Shown.text(key) + ", as its key");
    }
  }

  private static <T> Setting<T> row(
      String key,
      SettingType<T> type,
      @Nullable String defaultText,
      Range<T> range,
      Property.Getter<GatewaySettings, T> getter,
      String description) {
    Setting<T> setting = new Setting<>(key, type, defaultText, range, getter, description);
    ALL.add(setting);
    return setting;
  }
}
