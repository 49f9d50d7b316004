package dev.headrace.relay;

import dev.headrace.admission.LimitStore;
import dev.headrace.admission.MemoryLimitStore;
import dev.headrace.admission.Preset;
import dev.headrace.admission.PresetBodies;
import dev.headrace.admission.PresetFileException;
import dev.headrace.admission.PresetSource;
import dev.headrace.admission.RefusedException;
import dev.headrace.admission.Timer;
import dev.headrace.admission.WaitingRoom;
import dev.headrace.config.BudgetWindow;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.IdentitySource;
import dev.headrace.config.PresetText;
import dev.headrace.identity.Caller;
import dev.headrace.identity.CrossSite;
import dev.headrace.identity.Identification;
import dev.headrace.identity.IdentityRules;
import dev.headrace.identity.KeyFile;
import dev.headrace.messages.ApiError;
import dev.headrace.spi.UserResolver;
import dev.headrace.upstream.TimeSource;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The door of the gateway: who is calling, by which plan, and whether this way in is open to them.
 * What a request may ask and how much follows when its body is there. Thread-safe.
 */
final class Admittance {

  private static final Logger LOG = LoggerFactory.getLogger(Admittance.class);

  /** What the door says. */
  sealed interface Answer {}

  /** The request may come in. */
  record In(Entrant entrant) implements Answer {}

  /**
   * It may not.
   *
   * @param error for the client
   * @param challenge whether a credential would help, so that the answer asks for one (RFC 9110,
   *     11.6.1)
   */
  record Away(ApiError error, boolean challenge) implements Answer {}

  private final GatewaySettings settings;
  private final @Nullable Identification identification; // null: nobody has to be known
  private final CrossSite crossSite;
  private volatile List<PlanRules> plans = List.of();
  private final PlanRules open;
  private final Map<String, PresetBodies> presets;
  private final MemoryLimitStore memory;
  private final LimitStore limits;

  /**
   * @param resolver the application's own; null for none
   * @param timer wakes those who wait for their turn
   * @throws IllegalArgumentException if a file that the settings name cannot be used
   */
  Admittance(
      GatewaySettings settings, TimeSource time, @Nullable UserResolver resolver, Timer timer) {
    this.settings = settings;
    this.identification = identification(settings, time, resolver);
    this.crossSite =
        new CrossSite(
            new HashSet<>(settings.crossSite().origins()), settings.crossSite().sameSite());
    this.open = PlanRules.open(settings.models().aliases());
    this.presets = presets(settings, time);
    this.memory = new MemoryLimitStore(settings.limits().maxUsers(), time.nanoTime(), time.wall());
    this.limits = withWaitingRoom(settings.limits(), memory, timer, time);
    setPlans(settings.plans().values());
    tellWhatARestartForgets(settings.plans().values());
  }

  /** For whom a month's budget is a promise to somebody who pays. */
  private static void tellWhatARestartForgets(Collection<GatewaySettings.Plan> plans) {
    boolean longOnes =
        plans.stream()
            .flatMap(plan -> plan.budgets().stream())
            .anyMatch(
                budget ->
                    budget.window() == BudgetWindow.DAY || budget.window() == BudgetWindow.MONTH);
    if (longOnes) {
      LOG.info(
          "Budgets of days and months are counted in memory: they start afresh when the gateway"
              + " restarts (plans.*.budgets)");
    }
  }

  private static @Nullable Identification identification(
      GatewaySettings settings, TimeSource time, @Nullable UserResolver resolver) {
    GatewaySettings.Identity identity = settings.identity();
    if (identity.sources().isEmpty()) {
      return null;
    }
    if (identity.sources().contains(IdentitySource.RESOLVER) && resolver == null) {
      throw new IllegalArgumentException(
          "identity.sources: resolver (expected: a UserResolver of the application, in"
              + " META-INF/services/dev.headrace.spi.UserResolver or given to the builder)");
    }
    return new Identification(
        new IdentityRules(
            identity.sources(),
            identity.sessionAttribute(),
            identity.header(),
            identity.groupsHeader(),
            identity.trustedProxies(),
            identity.trustedHops(),
            roles(settings, settings.plans().values())),
        keys(identity.keysFile(), time),
        resolver);
  }

  private static @Nullable KeyFile keys(@Nullable Path file, TimeSource time) {
    if (file == null) {
      return null;
    }
    try {
      return KeyFile.open(file, time.nanoTime(), time.wall());
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "identity.keys-file: "
              + file.toAbsolutePath()
              + " cannot be read ("
              + e.getClass().getSimpleName()
              + "; expected: a file with gateway keys, see dev.headrace.NewKey)",
          e);
    }
  }

  /** All that plans and presets name: the request is asked for no others. */
  private static Set<String> roles(
      GatewaySettings settings, Collection<GatewaySettings.Plan> plans) {
    Set<String> roles = new HashSet<>();
    plans.forEach(plan -> roles.addAll(plan.roles()));
    settings.presets().values().forEach(preset -> roles.addAll(preset.roles()));
    return roles;
  }

  private static Map<String, PresetBodies> presets(GatewaySettings settings, TimeSource time) {
    Map<String, PresetBodies> bodies = new LinkedHashMap<>();
    List<String> problems = new ArrayList<>();
    settings
        .presets()
        .forEach(
            (name, preset) -> {
              try {
                bodies.put(
                    name,
                    new PresetBodies(preset(preset), settings.models().aliases(), time.nanoTime()));
              } catch (PresetFileException e) {
                problems.add(String.valueOf(e.getMessage()));
              }
            });
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("\n", problems));
    }
    return Collections.unmodifiableMap(bodies);
  }

  private static Preset preset(GatewaySettings.Preset preset) {
    GatewaySettings.PresetFormat format = preset.format();
    return new Preset(
        preset.name(),
        preset.model(),
        source(preset.system()),
        preset.cacheSystem(),
        source(preset.tools()),
        preset.maxTokens(),
        format == null ? null : format.name().toLowerCase(Locale.ROOT),
        Set.copyOf(preset.roles()),
        new LinkedHashSet<>(preset.open()));
  }

  private static @Nullable PresetSource source(@Nullable PresetText text) {
    if (text == null) {
      return null;
    }
    return text.file() != null
        ? PresetSource.file(text.file())
        : PresetSource.text(String.valueOf(text.text()));
  }

  private static LimitStore withWaitingRoom(
      GatewaySettings.Limits settings, LimitStore store, Timer timer, TimeSource time) {
    if (settings.waitingPlaces() == 0) {
      return store;
    }
    return new WaitingRoom(
        store,
        new WaitingRoom.Settings(
            settings.waitingPlaces(), settings.waitingPlacesPerUser(), settings.waitingLongest()),
        timer,
        time.nanoTime());
  }

  /** Puts other plans in force. What users have used so far stays used. */
  synchronized void setPlans(Collection<GatewaySettings.Plan> changed) {
    if (identification != null) {
      identification.setRoles(roles(settings, changed));
    }
    plans =
        changed.stream()
            .map(
                plan ->
                    PlanRules.of(plan, settings.models().aliases(), settings.limits().timeZone()))
            .toList();
  }

  /** Whether answers carry the user's own limits, and the organisation's are nobody's business. */
  boolean hidesOrganisation() {
    return !plans.isEmpty() && !settings.limits().organisationHeaders();
  }

  LimitStore limits() {
    return limits;
  }

  CrossSite crossSite() {
    return crossSite;
  }

  /** What has to be done from time to time; quick. */
  void housekeeping() {
    memory.cleanUp();
  }

  /** Looks at a request before its body is read; on the container's thread. */
  Answer enter(HttpServletRequest request, Route.Upstream route) {
    Identification.Result result = identify(request);
    Away away = turnedAway(request, result);
    return away != null ? away : enter(request, route, callerOf(result));
  }

  /**
   * What somebody is told who is not known here and would have to be, or for whom a page of another
   * site calls; null for all others.
   */
  @Nullable Away turnedAway(HttpServletRequest request) {
    return turnedAway(request, identify(request));
  }

  /** Who is calling; null if nobody has to be known. */
  private Identification.@Nullable Result identify(HttpServletRequest request) {
    return identification == null ? null : identification.identify(request);
  }

  private @Nullable Away turnedAway(
      HttpServletRequest request, Identification.@Nullable Result result) {
    if (result instanceof Identification.Nobody nobody) {
      return new Away(nobody.error(), true);
    }
    if (result instanceof Identification.Refused refused) {
      LOG.debug("Not identified: {}", refused.reason());
      return new Away(refused.error(), refused.error().status() == 401);
    }
    Caller caller = callerOf(result);
    ApiError foreign = crossSite.check(request, caller == null ? null : caller.source());
    return foreign == null ? null : new Away(foreign, false);
  }

  private static @Nullable Caller callerOf(Identification.@Nullable Result result) {
    return result instanceof Identification.Known known ? known.caller() : null;
  }

  private Answer enter(HttpServletRequest request, Route.Upstream route, @Nullable Caller caller) {
    PlanRules plan = planOf(caller);
    if (plan == null) {
      return forbidden("None of this gateway's plans is for this user (plans.*.roles).");
    }
    PresetBodies preset = null;
    if (route.preset() != null) {
      preset = presets.get(route.preset());
      if (preset == null) {
        return new Away(
            new ApiError(404, "not_found_error", "This preset does not exist here.", null), false);
      }
      Set<String> roles = preset.preset().roles();
      if (!roles.isEmpty() && firstRole(caller, roles) == null) {
        return forbidden(
            "This preset is not for this user (presets." + route.preset() + ".roles).");
      }
    }
    try {
      plan.policy().checkSize(request.getContentLengthLong());
      plan.policy().checkWorkspaces(name -> request.getHeader(name) != null);
      if (preset == null && route.endpoint().kind() != Endpoint.Kind.OPAQUE) {
        plan.policy().checkRawMessages();
      }
    } catch (RefusedException e) {
      return new Away(e.error(), false);
    }
    if (route.endpoint().isExtra()
        && (route.endpoint().method().equals("GET")
            ? plan.policy().isForPresetsOnly()
            : !plan.isOpen())) {
      return forbidden(
          "This endpoint is closed for this user, because the gateway cannot see what is asked"
              + " there (plans."
              + plan.name()
              + ").");
    }
    String user = caller == null ? Identification.login(request) : caller.user();
    return new In(new Entrant(user, firstRole(caller, plan.roles()), plan, preset, betas(request)));
  }

  private static Away forbidden(String message) {
    return new Away(new ApiError(403, "permission_error", message, null), false);
  }

  private static List<String> betas(HttpServletRequest request) {
    Enumeration<String> lines = request.getHeaders("anthropic-beta");
    return lines == null ? List.of() : Collections.list(lines);
  }

  /** The first plan that fits; null if there are plans and none does. */
  private @Nullable PlanRules planOf(@Nullable Caller caller) {
    List<PlanRules> all = plans;
    if (all.isEmpty()) {
      return open;
    }
    for (PlanRules plan : all) {
      if (plan.roles().isEmpty() || firstRole(caller, plan.roles()) != null) {
        return plan;
      }
    }
    return null;
  }

  private static @Nullable String firstRole(@Nullable Caller caller, Set<String> roles) {
    if (caller != null) {
      for (String role : roles) {
        if (caller.hasRole(role)) {
          return role;
        }
      }
    }
    return null;
  }
}
