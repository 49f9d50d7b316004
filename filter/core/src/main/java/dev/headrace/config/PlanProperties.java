package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import dev.headrace.config.GatewaySettings.AboveMaxTokens;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.GatewaySettings.Shortfall;
import dev.headrace.config.RecordType.Values;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one of {@code plans} consists of. */
final class PlanProperties {
  static final SettingType<RequestRate> REQUEST_RATE =
      new SettingType<>("request-rate", RequestRate.EXPECTED) {
        @Override
        RequestRate read(String text) throws BadValue {
          return RequestRate.read(text);
        }
      };

  static final SettingType<Budget> BUDGET =
      new SettingType<>("budget", Budget.EXPECTED) {
        @Override
        Budget read(String text) throws BadValue {
          return Budget.read(text);
        }
      };

  /** A value of {@code anthropic-beta}, a list of tokens (RFC 9110, 5.6.2). */
  static final SettingType<String> BETA =
      SettingType.word(
          "beta",
          "a value of the header anthropic-beta, such as files-api-2025-04-14",
          "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}");

  static final int MAX_ROLES = 100;
  static final int MOST_TOKENS = 100_000_000;

  static final Property<Plan, List<String>> ROLES =
      new Property<>(
          "roles",
          SettingType.listOf(SettingType.ROLE).sized(1, MAX_ROLES, "roles").distinct(),
          null,
          Range.any(),
          plan -> nullIfEmpty(plan.roles()),
          "The plan is for callers with one of these roles or groups. Without it, for everybody.");

  static final Property<Plan, List<String>> MODELS =
      new Property<>(
          "models",
          SettingType.listOf(SettingType.MODEL).sized(1, 100, "models").distinct(),
          null,
          Range.any(),
          plan -> nullIfEmpty(plan.models()),
          "What may be named as the model: models and aliases, by the whole name. Without it, all.");

  static final Property<Plan, Long> MAX_TOKENS =
      new Property<>(
          "max-tokens",
          SettingType.LONG,
          null,
          Range.between(1L, MOST_TOKENS),
          Plan::maxTokens,
          "Largest max_tokens of a request. Without it, no limit.");

  static final Property<Plan, AboveMaxTokens> ABOVE_MAX_TOKENS =
      new Property<>(
          "above-max-tokens",
          SettingType.oneOf(AboveMaxTokens.class),
          "refuse",
          Range.any(),
          Plan::aboveMaxTokens,
          "What happens to a larger max_tokens: the request is refused, or sent with max-tokens.");

  static final Property<Plan, ByteSize> MAX_BODY =
      new Property<>(
          "max-body",
          SettingType.SIZE,
          null,
          Range.between(ByteSize.ofKibibytes(1), ByteSize.ofMebibytes(1024)),
          Plan::maxBody,
          "Largest request body, where that is less than request.max-body.");

  static final Property<Plan, Boolean> RAW_MESSAGES =
      allowed(
          "raw-messages",
          Plan::rawMessages,
          "Whether clients may send request bodies of their own. If not, they may use presets only.");

  static final Property<Plan, Boolean> TOOLS =
      allowed(
          "tools", Plan::tools, "Whether clients may send tools; false refuses server tools too.");

  static final Property<Plan, Boolean> SERVER_TOOLS =
      allowed(
          "server-tools",
          Plan::serverTools,
          "Whether clients may send tools that the API runs and bills, mcp_servers and container.");

  static final Property<Plan, Boolean> FAST_MODE =
      allowed("fast-mode", Plan::fastMode, "Whether speed may be other than standard.");

  static final Property<Plan, Boolean> SERVICE_TIER =
      allowed(
          "service-tier",
          Plan::serviceTier,
          "Whether service_tier may be other than standard_only.");

  static final Property<Plan, Boolean> INFERENCE_GEO =
      allowed(
          "inference-geo", Plan::inferenceGeo, "Whether inference_geo may be other than global.");

  static final Property<Plan, Boolean> WORKSPACES =
      allowed(
          "workspaces",
          Plan::workspaces,
          "Whether anthropic-workspace-id and anthropic-user-profile-id may be sent.");

  static final Property<Plan, List<String>> BETAS =
      new Property<>(
          "betas",
          SettingType.listOf(BETA).sized(0, 100, "betas").distinct(),
          null,
          Range.any(),
          Plan::betas,
          "Values of anthropic-beta that clients may send; [] for none. Without it, all.");

  static final Property<Plan, RequestRate> REQUESTS =
      new Property<>(
          "requests",
          REQUEST_RATE,
          null,
          Range.any(),
          Plan::requests,
          "How many requests each user may make in a period. Without it, no limit.");

  static final Property<Plan, Integer> CONCURRENT =
      new Property<>(
          "concurrent",
          SettingType.INTEGER,
          "0",
          Range.between(0, 100_000),
          Plan::concurrent,
          "How many streams each user may have at the same time. 0 means no limit.");

  static final Property<Plan, List<Budget>> BUDGETS =
      new Property<>(
          "budgets",
          SettingType.listOf(BUDGET).sized(0, 12, "budgets"),
          "",
          Range.checkedByType("at most one of a kind and window"),
          Plan::budgets,
          "How many tokens or dollars each user may use in a minute, hour, day or month.");

  static final Property<Plan, Shortfall> SHORTFALL =
      new Property<>(
          "shortfall",
          SettingType.oneOf(Shortfall.class),
          "refuse",
          Range.any(),
          Plan::shortfall,
          "What happens when a budget does not buy all of the output that a request may produce: it"
              + " is refused, sent with a lower max_tokens, or sent so and its stream ended at the"
              + " limit as well. With nothing left it is refused.");

  static final Property<Plan, Boolean> SHADOW =
      new Property<>(
          "shadow",
          SettingType.BOOLEAN,
          "false",
          Range.any(),
          Plan::shadow,
          "Whether the limits of the plan only tell what they would have refused.");

  static final RecordType<Plan> PLAN =
      new RecordType<>(
          "plan",
          PlanProperties::make,
          List.of(
              ROLES,
              MODELS,
              MAX_TOKENS,
              ABOVE_MAX_TOKENS,
              MAX_BODY,
              RAW_MESSAGES,
              TOOLS,
              SERVER_TOOLS,
              FAST_MODE,
              SERVICE_TIER,
              INFERENCE_GEO,
              WORKSPACES,
              BETAS,
              REQUESTS,
              CONCURRENT,
              BUDGETS,
              SHORTFALL,
              SHADOW));

  private PlanProperties() {}

  private static Property<Plan, Boolean> allowed(
      String name, Property.Getter<Plan, Boolean> getter, String description) {
    return new Property<>(name, SettingType.BOOLEAN, "true", Range.any(), getter, description);
  }

  private static Plan make(Values<Plan> values) {
    return new Plan(
        values.place(),
        values.get(ROLES, List.of()),
        values.get(MODELS, List.of()),
        values.get(MAX_TOKENS),
        requireNonNull(values.get(ABOVE_MAX_TOKENS)),
        values.get(MAX_BODY),
        requireNonNull(values.get(RAW_MESSAGES)),
        requireNonNull(values.get(TOOLS)),
        requireNonNull(values.get(SERVER_TOOLS)),
        requireNonNull(values.get(FAST_MODE)),
        requireNonNull(values.get(SERVICE_TIER)),
        requireNonNull(values.get(INFERENCE_GEO)),
        requireNonNull(values.get(WORKSPACES)),
        values.get(BETAS),
        values.get(REQUESTS),
        requireNonNull(values.get(CONCURRENT)),
        values.get(BUDGETS, List.of()),
        requireNonNull(values.get(SHORTFALL)),
        requireNonNull(values.get(SHADOW)));
  }

  /** In the file an empty list is an error, because it could mean all or nothing. */
  static <E> @Nullable List<E> nullIfEmpty(List<E> list) {
    return list.isEmpty() ? null : list;
  }

  /** Checks values that are each in their range. */
  static void checkTogether(
      Problems problems,
      Place plan,
      @Nullable Long maxTokens,
      AboveMaxTokens aboveMaxTokens,
      List<Budget> budgets) {
    if (aboveMaxTokens == AboveMaxTokens.LOWER && maxTokens == null) {
      String path = plan.key(ABOVE_MAX_TOKENS.name()).path();
      String other = plan.key(MAX_TOKENS.name()).path();
      problems.add(
          Problem.between(
              List.of(path, other), path + ": lower (expected: together with " + other + ")"));
    }
    for (int i = 0; i < budgets.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (budgets.get(i).isForTheSameAs(budgets.get(j))) {
          problems.add(
              plan.key(BUDGETS.name()).path(),
              budgets.get(j) + " and " + budgets.get(i),
              BadValue.noted("are for the same", "one of them"));
        }
      }
    }
  }
}
