package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneId;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All settings of a gateway. Immutable, thread-safe and checked when made: an instance can be used
 * as it is. Made by {@link #builder()} or read by {@link SettingsLocator}; each setting has the
 * same name in the file ({@code upstream.base-url}), in the environment ({@code
 * HEADRACE_UPSTREAM_BASE_URL}) and in the builder ({@code upstreamBaseUrl}). Only lists of records
 * and maps, such as {@code upstream.members} and {@code plans}, do not fit into the environment.
 *
 * @param enabled whether the gateway is there at all; default true
 * @param mount path within the web application under which the gateway answers, {@code /} or
 *     without a slash at the end; default {@code /claude}
 * @param upstream the API behind the gateway
 * @param request what clients may ask
 * @param identity how the gateway finds out who is calling
 * @param crossSite which pages of other sites may call
 * @param models names for models
 * @param limits what the limits of all plans have in common
 * @param plans what callers may do and use, by name and in order: the first that fits a caller's
 *     roles is theirs; default none, which means that everybody may do everything
 * @param presets recipes for requests, by name; default none
 * @param timeouts the clocks of one exchange
 * @param buffers memory limits of one stream
 * @param retry how failed upstream calls are repeated before anything was sent
 * @param breaker when the gateway stops calling an upstream that keeps failing
 * @param disconnect what happens when a client leaves
 * @param blocking streams where asynchronous requests are not supported
 * @param listeners the application's stream listeners
 * @param usage the books: what is kept of each exchange, and where
 * @param metrics who may read the metrics
 * @param shutdown the end of the gateway
 */
public record GatewaySettings(
    boolean enabled,
    String mount,
    Upstream upstream,
    Request request,
    Identity identity,
    CrossSite crossSite,
    Models models,
    Limits limits,
    Map<String, Plan> plans,
    Map<String, Preset> presets,
    Timeouts timeouts,
    Buffers buffers,
    Retry retry,
    Breaker breaker,
    Disconnect disconnect,
    Blocking blocking,
    Listeners listeners,
    Usage usage,
    Metrics metrics,
    Shutdown shutdown) {

  /**
   * Checks the settings that are in no group, what settings of different groups need of each other,
   * and that there is an API key unless the gateway is switched off.
   *
   * @throws SettingsException if the mount is malformed, the API key is missing, or plans, presets
   *     or fallbacks do not go together with other settings
   */
  public GatewaySettings {
    requireNonNull(mount, "mount");
    requireNonNull(upstream, "upstream");
    requireNonNull(request, "request");
    requireNonNull(identity, "identity");
    requireNonNull(crossSite, "crossSite");
    requireNonNull(models, "models");
    requireNonNull(limits, "limits");
    plans = copyInOrder(plans);
    presets = copyInOrder(presets);
    requireNonNull(timeouts, "timeouts");
    requireNonNull(buffers, "buffers");
    requireNonNull(retry, "retry");
    requireNonNull(breaker, "breaker");
    requireNonNull(disconnect, "disconnect");
    requireNonNull(blocking, "blocking");
    requireNonNull(listeners, "listeners");
    requireNonNull(usage, "usage");
    requireNonNull(metrics, "metrics");
    requireNonNull(shutdown, "shutdown");
    boolean hasKey =
        upstream.apiKey() != null
            || upstream.apiKeyFile() != null
            || upstream.apiKeySource() != null;
    Problems problems = new Problems();
    checkTop(problems, enabled, mount, hasKey, upstream.members());
    AdmissionRules.check(problems, plans, presets, identity.sources(), identity.groupsHeader());
    AdmissionRules.checkFallbacks(problems, models.aliases(), retry.fallbacks());
    problems.throwIfAny();
  }

  /**
   * The checks of this record without its groups, for the builder when a group cannot be made.
   *
   * @param hasKey whether there is a key for the members that have none of their own
   */
  static void checkTop(
      Problems problems, boolean enabled, String mount, boolean hasKey, List<Member> members) {
    problems.check(SettingTable.MOUNT, mount);
    if (!enabled || hasKey) {
      return;
    }
    if (members.isEmpty()) {
      problems.add(noApiKey());
    }
    for (int i = 0; i < members.size(); i++) {
      Member member = members.get(i);
      if (member.apiKey() == null && member.apiKeyFile() == null) {
        problems.add(noApiKey(i));
      }
    }
  }

  private static Problem noApiKey() {
    return Problem.between(
        List.of(
            SettingTable.UPSTREAM_API_KEY.key(),
            SettingTable.UPSTREAM_API_KEY_FILE.key(),
            SettingTable.UPSTREAM_MEMBERS.key()),
        "No API key for the upstream: set upstream.api-key, normally to ${ANTHROPIC_API_KEY}, or"
            + " upstream.api-key-file");
  }

  private static Problem noApiKey(int index) {
    String member = SettingTable.UPSTREAM_MEMBERS.key() + "[" + index + "]";
    String apiKey = SettingTable.UPSTREAM_API_KEY.key();
    String apiKeyFile = SettingTable.UPSTREAM_API_KEY_FILE.key();
    return Problem.between(
        List.of(member, apiKey, apiKeyFile),
        member
            + ": no API key (expected: api-key or api-key-file, or for all members "
            + apiKey
            + " or "
            + apiKeyFile
            + ")");
  }

  /** Unlike {@code Map.copyOf}, keeps the order of the file. */
  private static <V> Map<String, V> copyInOrder(Map<String, V> map) {
    Map<String, V> copy = new LinkedHashMap<>();
    map.forEach((key, value) -> copy.put(requireNonNull(key), requireNonNull(value, key)));
    return Collections.unmodifiableMap(copy);
  }

  private static URI withoutSlashAtEnd(URI url) {
    String text = url.toString();
    int end = text.length();
    while (text.charAt(end - 1) == '/') {
      end--;
    }
    return end == text.length() ? url : URI.create(text.substring(0, end));
  }

  /** Returns a builder with the default of every setting. */
  public static GatewaySettingsBuilder builder() {
    return new GatewaySettingsBuilder();
  }

  /** Returns a builder that starts with these settings. */
  public GatewaySettingsBuilder toBuilder() {
    return new GatewaySettingsBuilder(this);
  }

  /**
   * The API behind the gateway and the connections to it. Immutable. At most one of the three
   * sources of the API key is present.
   *
   * @param baseUrl everything in the API's URLs before {@code /v1}, without a slash at the end;
   *     {@code http} or {@code https}; default {@code https://api.anthropic.com}
   * @param apiKey the API key; null if it comes from elsewhere
   * @param apiKeyFile file that contains the API key; null if it comes from elsewhere
   * @param apiKeySource code of the application that gives the API key; null if it comes from
   *     elsewhere. It is called again and again, possibly by several threads together and on I/O
   *     threads, so it must not block
   * @param selection how a member is chosen; default ordered
   * @param members several upstreams, or several keys of one, to choose from, at most 20 with
   *     distinct names; default none, which means one upstream as {@code baseUrl} and the API key
   *     say: see {@link #resolvedMembers()}
   * @param caFile PEM file with further certificates to trust; null for those of the Java
   *     installation alone
   * @param maxConnections most connections, and so most exchanges at the same time; 1 to 100000,
   *     default 10000
   * @param ioThreads threads that read and write; 0 to 64, default 0, which means one per processor
   *     but at most 4: see {@link #ioThreadCount()}
   * @param bufferSize each of the three buffers of one connection; 2 KiB to 1 MiB, default 2 KiB
   * @param connectionIdle how long an unused connection is kept; above zero, default 4m
   * @param connectionTtl longest life of a connection; above zero, default 5m
   * @param forwardHeaders request headers of the client that travel upstream besides {@code
   *     anthropic-*}, in lower case; default none
   */
  public record Upstream(
      URI baseUrl,
      @Nullable Secret apiKey,
      @Nullable Path apiKeyFile,
      @Nullable Supplier<Secret> apiKeySource,
      Selection selection,
      List<Member> members,
      @Nullable Path caFile,
      int maxConnections,
      int ioThreads,
      ByteSize bufferSize,
      Duration connectionIdle,
      Duration connectionTtl,
      List<String> forwardHeaders) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range, or if there is more than
     *     one source of the API key
     */
    public Upstream {
      Problems problems = new Problems();
      problems.check(SettingTable.UPSTREAM_BASE_URL, requireNonNull(baseUrl, "baseUrl"));
      if (apiKey != null) {
        problems.check(SettingTable.UPSTREAM_API_KEY, apiKey);
      }
      checkOneKey(problems, apiKey, apiKeyFile, apiKeySource);
      requireNonNull(selection, "selection");
      members = List.copyOf(members);
      problems.check(SettingTable.UPSTREAM_MEMBERS, members);
      problems.check(SettingTable.UPSTREAM_MAX_CONNECTIONS, maxConnections);
      problems.check(SettingTable.UPSTREAM_IO_THREADS, ioThreads);
      problems.check(SettingTable.UPSTREAM_BUFFER_SIZE, requireNonNull(bufferSize, "bufferSize"));
      problems.check(
          SettingTable.UPSTREAM_CONNECTION_IDLE, requireNonNull(connectionIdle, "connectionIdle"));
      problems.check(
          SettingTable.UPSTREAM_CONNECTION_TTL, requireNonNull(connectionTtl, "connectionTtl"));
      forwardHeaders = forwardHeaders.stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
      problems.check(SettingTable.UPSTREAM_FORWARD_HEADERS, forwardHeaders);
      problems.throwIfAny();
      baseUrl = withoutSlashAtEnd(baseUrl);
    }

    private static void checkOneKey(
        Problems problems,
        @Nullable Secret apiKey,
        @Nullable Path apiKeyFile,
        @Nullable Supplier<Secret> apiKeySource) {
      String key = SettingTable.UPSTREAM_API_KEY.key();
      String file = SettingTable.UPSTREAM_API_KEY_FILE.key();
      if (apiKey != null && apiKeyFile != null) {
        problems.add(Problem.bothSet(key, file));
      } else if (apiKeySource != null && (apiKey != null || apiKeyFile != null)) {
        String other = apiKey != null ? key : file;
        problems.add(
            Problem.between(
                List.of(other, apiKey != null ? file : key),
                other
                    + " is set, and the application has an API key source (expected: one of"
                    + " them)"));
      }
    }

    /** Returns the number of I/O threads to start: the setting, or what its zero stands for. */
    public int ioThreadCount() {
      return ioThreads > 0 ? ioThreads : Math.min(4, Runtime.getRuntime().availableProcessors());
    }

    /**
     * Returns the API key from wherever it comes. With {@code apiKeyFile} this reads the file each
     * time, so call it off the I/O threads and keep the result.
     *
     * @throws SettingsException if the file cannot be read or its content is no key, or if there is
     *     no source of the key
     */
    public Secret readApiKey() {
      if (apiKeyFile != null) {
        return KeyFiles.readApiKey(SettingTable.UPSTREAM_API_KEY_FILE.key(), apiKeyFile);
      }
      Secret key = apiKeySource != null ? apiKeySource.get() : apiKey;
      if (key == null) {
        throw new SettingsException(List.of(noApiKey()));
      }
      Problems problems = new Problems();
      problems.check(SettingTable.UPSTREAM_API_KEY, key);
      problems.throwIfAny();
      return key;
    }

    /**
     * Returns the API key for a member: its own, or else that of the upstream. This may read a file
     * each time, as {@link #readApiKey()}.
     *
     * @param member one of {@link #members()} or of {@link #resolvedMembers()}
     * @throws SettingsException if the file cannot be read or its content is no key, or if there is
     *     no source of the key
     */
    public Secret readApiKey(Member member) {
      if (member.apiKey() != null) {
        return member.apiKey();
      }
      Path file = member.apiKeyFile();
      return file == null || file.equals(apiKeyFile)
          ? readApiKey()
          : KeyFiles.readApiKey(member.path() + ".api-key-file", file);
    }

    /**
     * Returns what to choose from, in order: the members, each with its base URL and, unless code
     * of the application gives the key, with a key; without members one named {@code main}, which
     * is what the other settings of the upstream say. Never empty.
     */
    public List<Member> resolvedMembers() {
      return members.isEmpty()
          ? List.of(new Member("main", baseUrl, apiKey, apiKeyFile, 1))
          : members.stream().map(this::resolved).toList();
    }

    private Member resolved(Member member) {
      boolean ownKey = member.apiKey() != null || member.apiKeyFile() != null;
      return new Member(
          member.name(),
          member.baseUrl() != null ? member.baseUrl() : baseUrl,
          ownKey ? member.apiKey() : apiKey,
          ownKey ? member.apiKeyFile() : apiKeyFile,
          member.weight());
    }
  }

  /**
   * What clients may ask. Immutable.
   *
   * @param maxBody largest request body; 1 KiB to 1 GiB, default 32 MiB
   * @param bodyTimeout whole time that a client has for sending the body; above zero, default 60s
   * @param extraEndpoints endpoints opened besides messages, count_tokens and models; default none
   */
  public record Request(
      ByteSize maxBody, Duration bodyTimeout, List<EndpointTemplate> extraEndpoints) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range
     */
    public Request {
      extraEndpoints = List.copyOf(extraEndpoints);
      Problems problems = new Problems();
      problems.check(SettingTable.REQUEST_MAX_BODY, requireNonNull(maxBody, "maxBody"));
      problems.check(SettingTable.REQUEST_BODY_TIMEOUT, requireNonNull(bodyTimeout, "bodyTimeout"));
      problems.check(SettingTable.REQUEST_EXTRA_ENDPOINTS, extraEndpoints);
      problems.throwIfAny();
    }
  }

  /**
   * How the gateway finds out who is calling. Immutable.
   *
   * @param sources where it looks, one after the other; the address may only be the last. Default
   *     none: nobody is identified, and nobody has to be
   * @param sessionAttribute session attribute that holds the user; needed with the source session,
   *     else null
   * @param header request header that holds the user, in lower case; needed with the source header,
   *     else null
   * @param groupsHeader request header that holds the user's groups, in lower case; only with the
   *     source header, null for none
   * @param trustedProxies addresses from which these headers and {@code X-Forwarded-For} count;
   *     default none
   * @param trustedHops how many of these proxies a request passes; 0 to 10, default 0, which means
   *     that {@code X-Forwarded-For} is not looked at
   * @param keysFile file with the gateway keys; needed with the source key, else null
   */
  public record Identity(
      List<IdentitySource> sources,
      @Nullable String sessionAttribute,
      @Nullable String header,
      @Nullable String groupsHeader,
      List<AddressBlock> trustedProxies,
      int trustedHops,
      @Nullable Path keysFile) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range, or that does not go
     *     together with the others
     */
    public Identity {
      sources = List.copyOf(sources);
      trustedProxies = List.copyOf(trustedProxies);
      header = header == null ? null : header.toLowerCase(Locale.ROOT);
      groupsHeader = groupsHeader == null ? null : groupsHeader.toLowerCase(Locale.ROOT);
      Problems problems = new Problems();
      problems.check(SettingTable.IDENTITY_SOURCES, sources);
      problems.checkIfSet(SettingTable.IDENTITY_SESSION_ATTRIBUTE, sessionAttribute);
      problems.checkIfSet(SettingTable.IDENTITY_HEADER, header);
      problems.checkIfSet(SettingTable.IDENTITY_GROUPS_HEADER, groupsHeader);
      problems.check(SettingTable.IDENTITY_TRUSTED_PROXIES, trustedProxies);
      problems.check(SettingTable.IDENTITY_TRUSTED_HOPS, trustedHops);
      AdmissionRules.checkSource(
          problems,
          sources,
          IdentitySource.SESSION,
          SettingTable.IDENTITY_SESSION_ATTRIBUTE,
          sessionAttribute);
      AdmissionRules.checkSource(
          problems, sources, IdentitySource.HEADER, SettingTable.IDENTITY_HEADER, header);
      AdmissionRules.checkSource(
          problems, sources, IdentitySource.KEY, SettingTable.IDENTITY_KEYS_FILE, keysFile);
      AdmissionRules.checkProxies(problems, sources, groupsHeader, trustedProxies, trustedHops);
      problems.throwIfAny();
    }
  }

  /**
   * Which pages of other sites may call. Immutable.
   *
   * @param origins such as {@code https://shop.example.com}, in lower case and without the port
   *     that the scheme implies; their pages may call and read. Default none
   * @param sameSite whether pages of other hosts of the same site may call; default false
   */
  public record CrossSite(List<String> origins, boolean sameSite) {

    /**
     * Checks the values.
     *
     * @throws SettingsException if an origin is none
     */
    public CrossSite {
      Problems problems = new Problems();
      origins = origins.stream().map(Origins::normalOrSame).toList();
      problems.check(SettingTable.CROSS_SITE_ORIGINS, origins);
      problems.throwIfAny();
    }
  }

  /**
   * Names for models. Immutable.
   *
   * @param aliases the model that is asked when a client says the alias, by alias; none leads to
   *     another alias. Default none
   */
  public record Models(Map<String, String> aliases) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every alias or model that is none
     */
    public Models {
      aliases = copyInOrder(aliases);
      Problems problems = new Problems();
      problems.check(SettingTable.MODELS_ALIASES, aliases);
      AdmissionRules.checkAliases(problems, aliases);
      problems.throwIfAny();
    }
  }

  /**
   * What the limits of all plans have in common. Immutable.
   *
   * @param maxUsers how many users the limits remember at most; 100 to 10000000, default 100000
   * @param timeZone where the hours, days and months of budgets begin; default UTC
   * @param waitingPlaces how many requests that are over a limit may wait instead of being refused;
   *     0 to 10000, default 0, which means no waiting room
   * @param waitingPlacesPerUser how many of them for one user; 1 to 10000, default 4
   * @param waitingLongest how long a request waits at most; above zero, default 10s
   * @param organisationHeaders whether the API's own {@code anthropic-ratelimit-*} headers, which
   *     tell the state of the whole organisation, are passed on although there are plans; without
   *     plans they are. Default false
   */
  public record Limits(
      int maxUsers,
      ZoneId timeZone,
      int waitingPlaces,
      int waitingPlacesPerUser,
      Duration waitingLongest,
      boolean organisationHeaders) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range
     */
    public Limits {
      requireNonNull(timeZone, "timeZone");
      Problems problems = new Problems();
      problems.check(SettingTable.LIMITS_MAX_USERS, maxUsers);
      problems.check(SettingTable.LIMITS_WAITING_PLACES, waitingPlaces);
      problems.check(SettingTable.LIMITS_WAITING_PLACES_PER_USER, waitingPlacesPerUser);
      problems.check(
          SettingTable.LIMITS_WAITING_LONGEST, requireNonNull(waitingLongest, "waitingLongest"));
      problems.throwIfAny();
    }
  }

  /** What happens to a {@code max_tokens} above that of the plan. */
  public enum AboveMaxTokens {
    /** The request is refused. */
    REFUSE,
    /** The request is sent with the plan's instead. */
    LOWER
  }

  /** What happens when a budget does not buy all of the output that a request may produce. */
  public enum Shortfall {
    /** The request is refused. */
    REFUSE,
    /** The request is sent with a lower {@code max_tokens}; with nothing left it is refused. */
    LOWER_MAX_TOKENS,
    /** As {@link #LOWER_MAX_TOKENS}, and a stream is ended where it has used up what is left. */
    STOP_AT_BUDGET
  }

  /**
   * What callers with certain roles may ask, and how much each of them may use. Immutable.
   *
   * @param name its key among the plans; lower-case letters, digits and dashes, at most 40
   * @param roles the callers that it is for: those with one of these roles or groups; empty for
   *     everybody
   * @param models what they may name as model, aliases among them; empty for all
   * @param maxTokens largest {@code max_tokens}; 1 to 100000000, null for no limit
   * @param aboveMaxTokens what happens to a larger one; default refuse
   * @param maxBody largest request body; 1 KiB to 1 GiB, null for that of all requests
   * @param rawMessages whether they may send bodies of their own, besides using presets
   * @param tools whether these may hold {@code tools}
   * @param serverTools whether these may hold tools that the API runs and bills
   * @param fastMode whether {@code speed} may be other than {@code standard}
   * @param serviceTier whether {@code service_tier} may be other than {@code standard_only}
   * @param inferenceGeo whether {@code inference_geo} may be other than {@code global}
   * @param workspaces whether {@code anthropic-workspace-id} and {@code anthropic-user-profile-id}
   *     may be sent
   * @param betas values of {@code anthropic-beta} that they may send; null for all, empty for none
   * @param requests how many requests each may make; null for no limit
   * @param concurrent how many streams each may have at the same time; 0 to 100000, 0 for no limit
   * @param budgets how much each may use; at most one of a kind and window
   * @param shortfall what happens when a budget is too small for a request; default refuse
   * @param shadow whether the limits only tell what they would have refused; default false
   */
  public record Plan(
      String name,
      List<String> roles,
      List<String> models,
      @Nullable Long maxTokens,
      AboveMaxTokens aboveMaxTokens,
      @Nullable ByteSize maxBody,
      boolean rawMessages,
      boolean tools,
      boolean serverTools,
      boolean fastMode,
      boolean serviceTier,
      boolean inferenceGeo,
      boolean workspaces,
      @Nullable List<String> betas,
      @Nullable RequestRate requests,
      int concurrent,
      List<Budget> budgets,
      Shortfall shortfall,
      boolean shadow) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range
     */
    public Plan {
      Place place = Place.of(SettingTable.PLANS).key(requireNonNull(name, "name"));
      roles = List.copyOf(roles);
      models = List.copyOf(models);
      betas = betas == null ? null : List.copyOf(betas);
      budgets = List.copyOf(budgets);
      requireNonNull(aboveMaxTokens, "aboveMaxTokens");
      requireNonNull(shortfall, "shortfall");
      Problems problems = new Problems();
      problems.checkPart(place, PlanProperties.ROLES, PlanProperties.nullIfEmpty(roles));
      problems.checkPart(place, PlanProperties.MODELS, PlanProperties.nullIfEmpty(models));
      problems.checkPart(place, PlanProperties.MAX_TOKENS, maxTokens);
      problems.checkPart(place, PlanProperties.MAX_BODY, maxBody);
      problems.checkPart(place, PlanProperties.BETAS, betas);
      problems.checkPart(place, PlanProperties.CONCURRENT, concurrent);
      problems.checkPart(place, PlanProperties.BUDGETS, budgets);
      PlanProperties.checkTogether(problems, place, maxTokens, aboveMaxTokens, budgets);
      problems.throwIfAny();
    }

    /** Returns a plan for everybody that allows everything. */
    public static Plan open(String name) {
      return builder(name).build();
    }

    /** Returns a builder that begins with a plan for everybody that allows everything. */
    public static PlanBuilder builder(String name) {
      return new PlanBuilder(name);
    }
  }

  /** The output format that a preset asks for. */
  public enum PresetFormat {
    /** The API's own events. */
    EVENTS,
    /** Only the text. */
    TEXT,
    /** A small vocabulary of events for pages. */
    SIMPLE
  }

  /**
   * A recipe for requests, so that a browser may send only what a user types. Immutable.
   *
   * @param name its key among the presets, and its place in the URL; 1 to 64 lower-case letters,
   *     digits and dashes
   * @param roles who may use it: callers with one of these roles or groups; empty for everybody
   * @param model the model or alias that is asked
   * @param system the system prompt; null for none
   * @param cacheSystem whether the system prompt is marked for prompt caching; default false
   * @param tools a JSON array of tools; null for none
   * @param maxTokens {@code max_tokens} of each request, and the most that a client may ask for
   *     where it is open; 1 to 100000000
   * @param format the output format; null if the client chooses
   * @param disconnectPolicy what happens to the upstream call when a client leaves in mid-answer;
   *     null for what {@code disconnect.policy} says
   * @param open body fields that a client may send besides {@code messages} and {@code stream};
   *     default none
   */
  public record Preset(
      String name,
      List<String> roles,
      String model,
      @Nullable PresetText system,
      boolean cacheSystem,
      @Nullable PresetText tools,
      int maxTokens,
      @Nullable PresetFormat format,
      @Nullable DisconnectPolicy disconnectPolicy,
      List<String> open) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range, or if a system prompt is
     *     to be cached and there is none
     */
    public Preset {
      Place place = Place.of(SettingTable.PRESETS).key(requireNonNull(name, "name"));
      roles = List.copyOf(roles);
      open = List.copyOf(open);
      Problems problems = new Problems();
      problems.checkPart(place, PresetProperties.ROLES, PlanProperties.nullIfEmpty(roles));
      problems.checkPart(place, PresetProperties.MODEL, requireNonNull(model, "model"));
      problems.checkPart(place, PresetProperties.SYSTEM, system);
      problems.checkPart(place, PresetProperties.TOOLS, tools);
      problems.checkPart(place, PresetProperties.MAX_TOKENS, maxTokens);
      problems.checkPart(place, PresetProperties.OPEN, open);
      PresetProperties.checkTogether(problems, place, system, cacheSystem);
      problems.throwIfAny();
    }
  }

  /**
   * The clocks of one exchange. Immutable. None is longer than 365 days, and all are whole
   * milliseconds.
   *
   * @param connect longest wait for a connection to the upstream; above zero, default 5s
   * @param firstEvent longest wait from the start of an attempt to the first event; above zero,
   *     default 120s
   * @param idle longest silence of the upstream within an answer; above zero, default 120s
   * @param idleContent longest time within an event stream without an event other than {@code
   *     ping}; above zero, default 10m
   * @param slowClient how long a client may take nothing while data waits; above zero, default 60s
   * @param total longest life of an exchange; zero means no limit, else at least {@code
   *     firstEvent}; default 30m
   * @param heartbeat silence towards the client after which a comment is written; zero means never,
   *     else at least 100ms; default 10s
   * @param earlyCommit wait after which an event stream is begun although nothing has come yet;
   *     zero means never, else at least 100ms; default never
   */
  public record Timeouts(
      Duration connect,
      Duration firstEvent,
      Duration idle,
      Duration idleContent,
      Duration slowClient,
      Duration total,
      Duration heartbeat,
      Duration earlyCommit) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range
     */
    public Timeouts {
      Problems problems = new Problems();
      problems.check(SettingTable.TIMEOUTS_CONNECT, requireNonNull(connect, "connect"));
      problems.check(SettingTable.TIMEOUTS_FIRST_EVENT, requireNonNull(firstEvent, "firstEvent"));
      problems.check(SettingTable.TIMEOUTS_IDLE, requireNonNull(idle, "idle"));
      problems.check(
          SettingTable.TIMEOUTS_IDLE_CONTENT, requireNonNull(idleContent, "idleContent"));
      problems.check(SettingTable.TIMEOUTS_SLOW_CLIENT, requireNonNull(slowClient, "slowClient"));
      problems.check(SettingTable.TIMEOUTS_TOTAL, requireNonNull(total, "total"));
      problems.check(SettingTable.TIMEOUTS_HEARTBEAT, requireNonNull(heartbeat, "heartbeat"));
      problems.check(
          SettingTable.TIMEOUTS_EARLY_COMMIT, requireNonNull(earlyCommit, "earlyCommit"));
      if (!total.isZero() && total.compareTo(firstEvent) < 0) {
        problems.addRelation(
            SettingTable.TIMEOUTS_TOTAL,
            total,
            "0 for no limit, or at least",
            SettingTable.TIMEOUTS_FIRST_EVENT,
            firstEvent);
      }
      problems.throwIfAny();
    }
  }

  /**
   * Memory limits of one stream. Immutable. Each is 1 KiB to 1 GiB.
   *
   * @param soft while more than this waits for the client, the upstream is not read; default 256
   *     KiB
   * @param hard when more than this waits for the client, the stream is ended; at least {@code
   *     soft}, default 8 MiB
   * @param hold most bytes held before the response head goes out, and the size up to which a JSON
   *     answer is held whole, and read for that even where {@code soft} is less, while a longer
   *     error is cut down to its type and message; default 64 KiB
   * @param maxEvent largest event that the gateway looks into; default 1 MiB
   */
  public record Buffers(ByteSize soft, ByteSize hard, ByteSize hold, ByteSize maxEvent) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range
     */
    public Buffers {
      Problems problems = new Problems();
      problems.check(SettingTable.BUFFERS_SOFT, requireNonNull(soft, "soft"));
      problems.check(SettingTable.BUFFERS_HARD, requireNonNull(hard, "hard"));
      problems.check(SettingTable.BUFFERS_HOLD, requireNonNull(hold, "hold"));
      problems.check(SettingTable.BUFFERS_MAX_EVENT, requireNonNull(maxEvent, "maxEvent"));
      if (hard.compareTo(soft) < 0) {
        problems.addRelation(
            SettingTable.BUFFERS_HARD, hard, "at least", SettingTable.BUFFERS_SOFT, soft);
      }
      problems.throwIfAny();
    }
  }

  /** Whether asynchronous answers are written on threads of the gateway's own. */
  public enum Writers {
    /** Where the container is known to block in writes: Open Liberty, Tomcat over HTTP/2. */
    AUTO,
    /** In every container. */
    ALWAYS,
    /** In none. */
    NEVER
  }

  /** How one of several upstream members is chosen. */
  public enum Selection {
    /** The first in the list that is not resting. */
    ORDERED,
    /** One of those that are not resting, at random by weight. */
    WEIGHTED
  }

  /** Until when the beginning of an event stream is kept back. */
  public enum Hold {
    /** Until its first event. */
    FIRST_EVENT,
    /**
     * Until the first event that is not {@code message_start}, {@code content_block_start} or
     * {@code ping}.
     */
    FIRST_CONTENT
  }

  /** What happens to the upstream call when the client leaves in mid-answer. */
  public enum DisconnectPolicy {
    /** It is cancelled. */
    CANCEL,
    /** It is read on for a while, so that its exact usage becomes known. */
    DRAIN
  }

  /**
   * One member of a pool of upstreams. Immutable. At most one of the two sources of the key is
   * present.
   *
   * @param name what logs and metrics call it; 1 to 40 letters, digits, dots, dashes and
   *     underscores
   * @param baseUrl as {@code upstream.base-url}, without a slash at the end; null means that one
   * @param apiKey the key for this member; null if it comes from elsewhere
   * @param apiKeyFile file that contains the key; null if it comes from elsewhere. Without either
   *     the key of {@code upstream} is used
   * @param weight share of the calls with {@code upstream.selection: weighted}; 1 to 1000
   */
  public record Member(
      String name,
      @Nullable URI baseUrl,
      @Nullable Secret apiKey,
      @Nullable Path apiKeyFile,
      int weight) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range, or if there are both a
     *     key and a file of the key
     */
    public Member {
      String path = path(requireNonNull(name, "name"));
      Problems problems = new Problems();
      MemberProperties.NAME.check(path + ".name", name, problems);
      if (baseUrl != null) {
        MemberProperties.BASE_URL.check(path + ".base-url", baseUrl, problems);
      }
      if (apiKey != null) {
        MemberProperties.API_KEY.check(path + ".api-key", apiKey, problems);
      }
      if (apiKey != null && apiKeyFile != null) {
        problems.add(Problem.bothSet(path + ".api-key", path + ".api-key-file"));
      }
      MemberProperties.WEIGHT.check(path + ".weight", weight, problems);
      problems.throwIfAny();
      baseUrl = baseUrl == null ? null : withoutSlashAtEnd(baseUrl);
    }

    /** Names the member in an error text: it does not know its number in the list. */
    private String path() {
      return path(name);
    }

    private static String path(String name) {
      return SettingTable.UPSTREAM_MEMBERS.key() + "[" + Shown.name(name) + "]";
    }
  }

  /**
   * How failed upstream calls are repeated before anything was sent. Immutable. Named as in
   * Resilience4j.
   *
   * @param maxAttempts most calls for one request, the first and fallbacks included; 1 to 10,
   *     default 3
   * @param waitDuration longest wait before the second attempt; above zero, default 500ms
   * @param maxWaitDuration where its doubling ends; at least {@code waitDuration}, default 8s
   * @param budgetPercent retries allowed as a share of the requests; 0 to 100, default 20
   * @param budgetPerSecond retries allowed each second in any case; 0 to 10000, default 3
   * @param hold until when the beginning of an event stream is kept back; default until its first
   *     event
   * @param holdTime longest time that events are kept back until the first content; above zero,
   *     default 3s
   * @param fallbacks models asked instead, in order, by the model that the client asked for: 1 to 5
   *     others for each, and no alias among them; default none
   */
  public record Retry(
      int maxAttempts,
      Duration waitDuration,
      Duration maxWaitDuration,
      int budgetPercent,
      int budgetPerSecond,
      Hold hold,
      Duration holdTime,
      Map<String, List<String>> fallbacks) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range
     */
    public Retry {
      requireNonNull(hold, "hold");
      fallbacks = copyOfLists(fallbacks);
      Problems problems = new Problems();
      problems.check(SettingTable.RETRY_MAX_ATTEMPTS, maxAttempts);
      problems.check(
          SettingTable.RETRY_WAIT_DURATION, requireNonNull(waitDuration, "waitDuration"));
      problems.check(
          SettingTable.RETRY_MAX_WAIT_DURATION, requireNonNull(maxWaitDuration, "maxWaitDuration"));
      problems.check(SettingTable.RETRY_BUDGET_PERCENT, budgetPercent);
      problems.check(SettingTable.RETRY_BUDGET_PER_SECOND, budgetPerSecond);
      problems.check(SettingTable.RETRY_HOLD_TIME, requireNonNull(holdTime, "holdTime"));
      problems.check(SettingTable.RETRY_FALLBACKS, fallbacks);
      if (maxWaitDuration.compareTo(waitDuration) < 0) {
        problems.addRelation(
            SettingTable.RETRY_MAX_WAIT_DURATION,
            maxWaitDuration,
            "at least",
            SettingTable.RETRY_WAIT_DURATION,
            waitDuration);
      }
      problems.throwIfAny();
    }

    /** Unlike {@code Map.copyOf}, keeps the order of the file for the printed settings. */
    private static Map<String, List<String>> copyOfLists(Map<String, List<String>> map) {
      Map<String, List<String>> copy = new LinkedHashMap<>();
      map.forEach((model, others) -> copy.put(requireNonNull(model, "model"), List.copyOf(others)));
      return Collections.unmodifiableMap(copy);
    }
  }

  /**
   * When the gateway stops calling an upstream that keeps failing. Immutable. Named as in
   * Resilience4j.
   *
   * @param enabled whether there is a circuit breaker at all; default true
   * @param failureRateThreshold percentage of failed attempts at which it opens; 1 to 100, default
   *     50
   * @param slidingWindowSize how many of the last attempts count; 1 to 10000, default 50
   * @param minimumNumberOfCalls how many attempts there must be first; at most {@code
   *     slidingWindowSize}, default 20
   * @param waitDurationInOpenState how long no call is let through; above zero, default 10s
   * @param permittedNumberOfCallsInHalfOpenState how many calls then try; 1 to 1000, default 5
   */
  public record Breaker(
      boolean enabled,
      int failureRateThreshold,
      int slidingWindowSize,
      int minimumNumberOfCalls,
      Duration waitDurationInOpenState,
      int permittedNumberOfCallsInHalfOpenState) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range
     */
    public Breaker {
      Problems problems = new Problems();
      problems.check(SettingTable.BREAKER_FAILURE_RATE_THRESHOLD, failureRateThreshold);
      problems.check(SettingTable.BREAKER_SLIDING_WINDOW_SIZE, slidingWindowSize);
      problems.check(SettingTable.BREAKER_MINIMUM_NUMBER_OF_CALLS, minimumNumberOfCalls);
      problems.check(
          SettingTable.BREAKER_WAIT_DURATION_IN_OPEN_STATE,
          requireNonNull(waitDurationInOpenState, "waitDurationInOpenState"));
      problems.check(
          SettingTable.BREAKER_PERMITTED_NUMBER_OF_CALLS_IN_HALF_OPEN_STATE,
          permittedNumberOfCallsInHalfOpenState);
      if (minimumNumberOfCalls > slidingWindowSize) {
        problems.addRelation(
            SettingTable.BREAKER_MINIMUM_NUMBER_OF_CALLS,
            minimumNumberOfCalls,
            "at most",
            SettingTable.BREAKER_SLIDING_WINDOW_SIZE,
            slidingWindowSize);
      }
      problems.throwIfAny();
    }
  }

  /**
   * What happens to the upstream call when a client leaves in mid-answer. Immutable.
   *
   * @param policy cancel it or read on for a while; default cancel
   * @param drainTime longest time to read on; above zero, default 30s
   * @param drainTokens most output tokens to read on, estimated; 1 to 1000000, default 2000
   */
  public record Disconnect(DisconnectPolicy policy, Duration drainTime, int drainTokens) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range
     */
    public Disconnect {
      requireNonNull(policy, "policy");
      Problems problems = new Problems();
      problems.check(SettingTable.DISCONNECT_DRAIN_TIME, requireNonNull(drainTime, "drainTime"));
      problems.check(SettingTable.DISCONNECT_DRAIN_TOKENS, drainTokens);
      problems.throwIfAny();
    }
  }

  /**
   * Streams that hold a thread: of the container where asynchronous requests are not supported, of
   * the gateway where the container blocks in writes. Immutable.
   *
   * @param maxConcurrent most streams at the same time that hold a thread of the container; zero
   *     refuses them; up to 10000, default 16
   * @param writers whether asynchronous answers are written on threads of the gateway; default
   *     {@link Writers#AUTO}
   * @param writerThreads most of these threads, 1 to 10000; default 64
   */
  public record Blocking(int maxConcurrent, Writers writers, int writerThreads) {

    /**
     * Checks the values.
     *
     * @throws SettingsException if one is out of its range
     */
    public Blocking {
      Problems problems = new Problems();
      problems.check(SettingTable.BLOCKING_MAX_CONCURRENT, maxConcurrent);
      requireNonNull(writers, "writers");
      problems.check(SettingTable.BLOCKING_WRITER_THREADS, writerThreads);
      problems.throwIfAny();
    }
  }

  /**
   * What the application's stream listeners may cost. Immutable.
   *
   * @param threads that listeners are called on, 1 to 64; default 2
   * @param maxMessage largest message that is put together, in bytes of its events, 16KiB to
   *     256MiB; default 8MiB
   * @param maxWaiting most memory for what waits for listeners, over all streams, 1MiB to 1GiB;
   *     default 64MiB
   */
  public record Listeners(int threads, ByteSize maxMessage, ByteSize maxWaiting) {

    /**
     * Checks the values.
     *
     * @throws SettingsException if one is out of its range
     */
    public Listeners {
      Problems problems = new Problems();
      problems.check(SettingTable.LISTENERS_THREADS, threads);
      problems.check(SettingTable.LISTENERS_MAX_MESSAGE, maxMessage);
      problems.check(SettingTable.LISTENERS_MAX_WAITING, maxWaiting);
      problems.throwIfAny();
    }
  }

  /**
   * The books: what is kept of each exchange, and where. Immutable. There is at most one database,
   * named by a URL or by a data source.
   *
   * @param log whether each record is written to the logger {@code dev.headrace.usage}; default
   *     true
   * @param pricesFile file with prices of the operator's own; null for the built-in ones alone
   * @param queue most records that wait in memory for each sink; 100 to 1000000, default 10000
   * @param spool folder in which records wait for the database; needed with a database, else null
   * @param spoolMax most that one sink may keep in {@code spool}; 1 MiB to 1024 GiB, default 1 GiB
   * @param jdbcUrl database that keeps the records; null for none, or for {@code dataSource}
   * @param jdbcUser user of {@code jdbcUrl}; null for none
   * @param jdbcPassword password of {@code jdbcUser}; null for none
   * @param jdbcDriver class name of the driver for {@code jdbcUrl}; null to let Java find it
   * @param dataSource JNDI name of a data source for the database; null for none, or for {@code
   *     jdbcUrl}
   * @param reportRole role of the container whose users may read the report; null for none
   * @param reportKey key with which scripts may read the report, at least 16 visible ASCII
   *     characters; null for none
   */
  public record Usage(
      boolean log,
      @Nullable Path pricesFile,
      int queue,
      @Nullable Path spool,
      ByteSize spoolMax,
      @Nullable String jdbcUrl,
      @Nullable String jdbcUser,
      @Nullable Secret jdbcPassword,
      @Nullable String jdbcDriver,
      @Nullable String dataSource,
      @Nullable String reportRole,
      @Nullable Secret reportKey) {

    /**
     * Checks the values.
     *
     * @throws SettingsException with every value that is out of its range, or that does not go
     *     together with the others
     */
    public Usage {
      Problems problems = new Problems();
      problems.check(SettingTable.USAGE_QUEUE, queue);
      problems.check(SettingTable.USAGE_SPOOL_MAX, requireNonNull(spoolMax, "spoolMax"));
      if (jdbcUrl != null) {
        problems.check(SettingTable.USAGE_JDBC_URL, jdbcUrl);
      }
      if (reportKey != null) {
        problems.check(SettingTable.USAGE_REPORT_KEY, reportKey);
      }
      if (jdbcUrl != null && dataSource != null) {
        problems.add(
            Problem.bothSet(
                SettingTable.USAGE_JDBC_URL.key(), SettingTable.USAGE_DATA_SOURCE.key()));
      }
      if (spool == null && (jdbcUrl != null || dataSource != null)) {
        needs(
            problems,
            jdbcUrl != null ? SettingTable.USAGE_JDBC_URL : SettingTable.USAGE_DATA_SOURCE,
            SettingTable.USAGE_SPOOL,
            "a folder in which records wait while the database is down");
      }
      if (jdbcUrl == null) {
        String url = "the database that it is for";
        if (jdbcUser != null) {
          needs(problems, SettingTable.USAGE_JDBC_USER, SettingTable.USAGE_JDBC_URL, url);
        }
        if (jdbcPassword != null) {
          needs(problems, SettingTable.USAGE_JDBC_PASSWORD, SettingTable.USAGE_JDBC_URL, url);
        }
        if (jdbcDriver != null) {
          needs(problems, SettingTable.USAGE_JDBC_DRIVER, SettingTable.USAGE_JDBC_URL, url);
        }
      }
      problems.throwIfAny();
    }

    private static void needs(Problems problems, Setting<?> set, Setting<?> other, String what) {
      List<String> both = List.of(set.key(), other.key());
      if (!problems.concernAnyOf(both)) {
        problems.add(
            Problem.between(
                both,
                set.key()
                    + " is set, and "
                    + other.key()
                    + " is not (expected: "
                    + other.key()
                    + ", "
                    + what
                    + ")"));
      }
    }

    /** Returns whether there is a database. */
    public boolean hasDatabase() {
      return jdbcUrl != null || dataSource != null;
    }
  }

  /**
   * Who may read the metrics. Immutable.
   *
   * @param addresses from where; none means from nowhere. Default this machine
   */
  public record Metrics(List<AddressBlock> addresses) {

    /**
     * Checks the values.
     *
     * @throws SettingsException if an address is there twice
     */
    public Metrics {
      addresses = List.copyOf(addresses);
      Problems problems = new Problems();
      problems.check(SettingTable.METRICS_ADDRESSES, addresses);
      problems.throwIfAny();
    }
  }

  /**
   * The end of the gateway. Immutable.
   *
   * @param drain how long closing waits for running exchanges; zero means not at all, default 10s
   */
  public record Shutdown(Duration drain) {

    /**
     * Checks the value.
     *
     * @throws SettingsException if it is out of its range
     */
    public Shutdown {
      Problems problems = new Problems();
      problems.check(SettingTable.SHUTDOWN_DRAIN, requireNonNull(drain, "drain"));
      problems.throwIfAny();
    }
  }
}
