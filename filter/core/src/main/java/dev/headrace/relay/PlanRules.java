package dev.headrace.relay;

import dev.headrace.admission.Budget;
import dev.headrace.admission.LimitKind;
import dev.headrace.admission.Limits;
import dev.headrace.admission.RequestPolicy;
import dev.headrace.admission.Window;
import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettings.AboveMaxTokens;
import dev.headrace.config.RequestRate;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One plan of the settings, ready for use. Immutable.
 *
 * @param name as in the settings
 * @param roles whose plan it is; empty for everybody
 * @param policy what may be asked
 * @param limits how much; null for no limit
 */
record PlanRules(String name, Set<String> roles, RequestPolicy policy, @Nullable Limits limits) {

  /** What applies when the settings have no plans: everything is allowed, apart from aliases. */
  static PlanRules open(Map<String, String> aliases) {
    return new PlanRules(
        "none", Set.of(), RequestPolicy.of("plans").aliases(aliases).build(), null);
  }

  static PlanRules of(GatewaySettings.Plan plan, Map<String, String> aliases, ZoneId zone) {
    return new PlanRules(
        plan.name(), Set.copyOf(plan.roles()), policy(plan, aliases), limits(plan, zone));
  }

  private static RequestPolicy policy(GatewaySettings.Plan plan, Map<String, String> aliases) {
    RequestPolicy.Builder policy =
        RequestPolicy.of("plans." + plan.name())
            .aliases(aliases)
            .models(plan.models())
            .betas(plan.betas())
            .rawMessages(rule(plan.rawMessages()))
            .tools(rule(plan.tools()))
            .serverTools(rule(plan.serverTools()))
            .fastMode(rule(plan.fastMode()))
            .serviceTier(rule(plan.serviceTier()))
            .inferenceGeo(rule(plan.inferenceGeo()))
            .workspaces(rule(plan.workspaces()));
    Long maxTokens = plan.maxTokens();
    if (maxTokens != null) {
      policy.maxTokens(
          maxTokens,
          plan.aboveMaxTokens() == AboveMaxTokens.LOWER
              ? RequestPolicy.AboveCap.LOWER
              : RequestPolicy.AboveCap.REFUSE);
    }
    ByteSize maxBody = plan.maxBody();
    if (maxBody != null) {
      policy.maxBodyBytes(maxBody.bytes());
    }
    return policy.build();
  }

  private static RequestPolicy.Rule rule(boolean allowed) {
    return allowed ? RequestPolicy.Rule.ALLOWED : RequestPolicy.Rule.REFUSED;
  }

  private static @Nullable Limits limits(GatewaySettings.Plan plan, ZoneId zone) {
    RequestRate requests = plan.requests();
    if (requests == null && plan.concurrent() == 0 && plan.budgets().isEmpty()) {
      return null;
    }
    List<Budget> budgets = plan.budgets().stream().map(PlanRules::budget).toList();
    return new Limits(
        requests == null ? null : new Limits.RequestRate(requests.count(), requests.period()),
        plan.concurrent(),
        budgets,
        switch (plan.shortfall()) {
          case REFUSE -> Limits.Shortfall.REFUSE;
          case LOWER_MAX_TOKENS -> Limits.Shortfall.LOWER_MAX_TOKENS;
          case STOP_AT_BUDGET -> Limits.Shortfall.STOP_AT_BUDGET;
        },
        plan.shadow() ? Limits.Enforcement.SHADOW : Limits.Enforcement.REFUSE,
        zone);
  }

  private static Budget budget(dev.headrace.config.Budget budget) {
    Window window =
        switch (budget.window()) {
          case MINUTE -> Window.MINUTE;
          case HOUR -> Window.HOUR;
          case DAY -> Window.DAY;
          case MONTH -> Window.MONTH;
        };
    return switch (budget.kind()) {
      case COST -> Budget.ofDollars(budget.amount(), window);
      case INPUT_TOKENS ->
          new Budget(LimitKind.INPUT_TOKENS, budget.amount().longValueExact(), window);
      case OUTPUT_TOKENS ->
          new Budget(LimitKind.OUTPUT_TOKENS, budget.amount().longValueExact(), window);
    };
  }

  /** Whether neither its rules nor its limits could be passed by on another way. */
  boolean isOpen() {
    return policy.isOpen() && limits == null;
  }

  /** Whether a cost has to be known beforehand. */
  boolean hasCostBudget() {
    return limits != null
        && limits.budgets().stream().anyMatch(budget -> budget.kind() == LimitKind.COST);
  }

  /** Whether a request is refused when its cost is not known. */
  boolean needsPrice() {
    return hasCostBudget() && limits != null && limits.enforcement() == Limits.Enforcement.REFUSE;
  }

  /** Whether a running stream is to be ended where the budget ends. */
  boolean stopsAtBudget() {
    return limits != null
        && limits.shortfall() == Limits.Shortfall.STOP_AT_BUDGET
        && limits.enforcement() == Limits.Enforcement.REFUSE;
  }
}
