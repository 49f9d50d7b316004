package dev.headrace.config;

import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.GatewaySettings.Preset;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which settings of identity, models, plans and presets go together. Stateless. */
final class AdmissionRules {
  private AdmissionRules() {}

  /** Checks a source of the identity against the setting that it cannot do without. */
  static void checkSource(
      Problems problems,
      List<IdentitySource> sources,
      IdentitySource source,
      Setting<?> needed,
      @Nullable Object value) {
    String word = source.name().toLowerCase(Locale.ROOT);
    boolean asked = sources.contains(source);
    if (asked && value == null) {
      String text =
          key(SettingTable.IDENTITY_SOURCES)
              + " has "
              + word
              + ", and "
              + key(needed)
              + " is not set";
      addOnce(problems, SettingTable.IDENTITY_SOURCES, needed, text, key(needed));
    } else if (!asked && value != null) {
      addUnused(problems, needed, word);
    }
  }

  /** Checks what belongs to proxies that identify callers or tell their addresses. */
  static void checkProxies(
      Problems problems,
      List<IdentitySource> sources,
      @Nullable String groupsHeader,
      List<AddressBlock> trustedProxies,
      int trustedHops) {
    boolean header = sources.contains(IdentitySource.HEADER);
    if (groupsHeader != null && !header) {
      addUnused(problems, SettingTable.IDENTITY_GROUPS_HEADER, "header");
    }
    if (!trustedProxies.isEmpty()) {
      return;
    }
    String proxies = key(SettingTable.IDENTITY_TRUSTED_PROXIES);
    if (header) {
      addOnce(
          problems,
          SettingTable.IDENTITY_SOURCES,
          SettingTable.IDENTITY_TRUSTED_PROXIES,
          key(SettingTable.IDENTITY_SOURCES) + " has header, and " + proxies + " is empty",
          "the addresses from which that header may come");
    }
    if (trustedHops > 0) {
      addOnce(
          problems,
          SettingTable.IDENTITY_TRUSTED_HOPS,
          SettingTable.IDENTITY_TRUSTED_PROXIES,
          key(SettingTable.IDENTITY_TRUSTED_HOPS) + " is set, and " + proxies + " is empty",
          "the addresses of these proxies");
    }
  }

  private static void addUnused(Problems problems, Setting<?> set, String word) {
    addOnce(
        problems,
        set,
        SettingTable.IDENTITY_SOURCES,
        key(set) + " is set, and " + key(SettingTable.IDENTITY_SOURCES) + " has no " + word,
        "both or neither");
  }

  private static void addOnce(
      Problems problems, Setting<?> blamed, Setting<?> other, String text, String expected) {
    List<String> both = List.of(key(blamed), key(other));
    if (!problems.concernAnyOf(both)) {
      problems.add(Problem.between(both, text + " (expected: " + expected + ")"));
    }
  }

  /** Checks that no alias leads to an alias: it would be asked as it is, and be no model. */
  static void checkAliases(Problems problems, Map<String, String> aliases) {
    aliases.forEach(
        (alias, model) -> {
          if (aliases.containsKey(model)) {
            problems.add(
                Place.of(SettingTable.MODELS_ALIASES).key(alias).path(),
                Shown.text(model),
                BadValue.noted("is an alias itself", "a model"));
          }
        });
  }

  /**
   * Checks that fallbacks are between models: an alias is replaced before they are looked up, and
   * one that they lead to would be asked as it is.
   */
  static void checkFallbacks(
      Problems problems, Map<String, String> aliases, Map<String, List<String>> fallbacks) {
    if (problems.concernAnyOf(
        List.of(key(SettingTable.MODELS_ALIASES), key(SettingTable.RETRY_FALLBACKS)))) {
      return;
    }
    Place map = Place.of(SettingTable.RETRY_FALLBACKS);
    fallbacks.forEach(
        (model, others) -> {
          Place entry = map.key(model);
          if (aliases.containsKey(model)) {
            addAlias(problems, entry, map.path() + ": the key " + Shown.text(model));
          }
          others.stream()
              .filter(aliases::containsKey)
              .forEach(other -> addAlias(problems, entry, entry.path() + ": " + Shown.text(other)));
        });
  }

  private static void addAlias(Problems problems, Place fallback, String text) {
    String aliases = key(SettingTable.MODELS_ALIASES);
    problems.add(
        Problem.between(
            List.of(fallback.path(), aliases),
            text + " is an alias (expected: the model that " + aliases + " has for it)"));
  }

  /**
   * Checks plans and presets together with where roles come from.
   *
   * @param groupsHeader without it, the source header tells no roles
   */
  static void check(
      Problems problems,
      Map<String, Plan> plans,
      Map<String, Preset> presets,
      List<IdentitySource> sources,
      @Nullable String groupsHeader) {
    problems.check(SettingTable.PLANS, plans);
    problems.check(SettingTable.PRESETS, presets);
    checkReachable(problems, plans);
    if (!tellRoles(sources, groupsHeader)) {
      plans.forEach((name, plan) -> refuseRoles(problems, SettingTable.PLANS, name, plan.roles()));
      presets.forEach(
          (name, preset) -> refuseRoles(problems, SettingTable.PRESETS, name, preset.roles()));
    }
  }

  private static boolean tellRoles(List<IdentitySource> sources, @Nullable String groupsHeader) {
    return sources.stream()
        .anyMatch(
            source ->
                switch (source) {
                  case PRINCIPAL, SESSION, KEY, RESOLVER -> true;
                  case HEADER -> groupsHeader != null;
                  case ADDRESS -> false;
                });
  }

  private static void checkReachable(Problems problems, Map<String, Plan> plans) {
    Map<String, String> planByRole = new HashMap<>();
    String open = null;
    for (Map.Entry<String, Plan> entry : plans.entrySet()) {
      Place place = Place.of(SettingTable.PLANS).key(entry.getKey());
      List<String> roles = entry.getValue().roles();
      if (open != null) {
        problems.add(unreachable(place, open + " has no roles and so is for everybody", open));
      } else if (roles.isEmpty()) {
        open = place.path();
      } else if (planByRole.keySet().containsAll(roles)) {
        List<String> earlier = roles.stream().map(planByRole::get).distinct().toList();
        String names = String.join(" and ", earlier);
        problems.add(unreachable(place, "all of its roles are in " + names, names));
      }
      roles.forEach(role -> planByRole.putIfAbsent(role, place.path()));
    }
  }

  private static Problem unreachable(Place plan, String why, String earlier) {
    return Problem.of(
        plan.path(),
        plan.path()
            + " is nobody's plan: the first that fits is taken, and "
            + why
            + " (expected: "
            + plan.path()
            + " above "
            + earlier
            + ", or other roles)",
        null);
  }

  private static void refuseRoles(
      Problems problems, Setting<?> setting, String name, List<String> roles) {
    String path = Place.of(setting).key(name).key(PlanProperties.ROLES.name()).path();
    String sources = key(SettingTable.IDENTITY_SOURCES);
    String groups = key(SettingTable.IDENTITY_GROUPS_HEADER);
    if (!roles.isEmpty() && !problems.concernAnyOf(List.of(sources, groups))) {
      // Of the first one only: what to do is the same for all.
      problems.add(
          Problem.between(
              List.of(path, sources),
              path
                  + " is set, and nothing in "
                  + sources
                  + " tells roles (expected: principal, session, key, resolver, or header with "
                  + groups
                  + ")"));
    }
  }

  private static String key(Setting<?> setting) {
    return setting.key();
  }
}
