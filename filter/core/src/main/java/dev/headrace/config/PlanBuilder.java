package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import dev.headrace.config.GatewaySettings.AboveMaxTokens;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.GatewaySettings.Shortfall;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts a {@link Plan} together in code. It begins with a plan that allows everything. What the
 * values mean stands at the record. Not thread-safe.
 */
public final class PlanBuilder {
  private final String name;
  private List<String> roles = List.of();
  private List<String> models = List.of();
  private @Nullable Long maxTokens;
  private AboveMaxTokens aboveMaxTokens = AboveMaxTokens.REFUSE;
  private @Nullable ByteSize maxBody;
  private boolean rawMessages = true;
  private boolean tools = true;
  private boolean serverTools = true;
  private boolean fastMode = true;
  private boolean serviceTier = true;
  private boolean inferenceGeo = true;
  private boolean workspaces = true;
  private @Nullable List<String> betas;
  private @Nullable RequestRate requests;
  private int concurrent;
  private List<Budget> budgets = List.of();
  private Shortfall shortfall = Shortfall.REFUSE;
  private boolean shadow;

  PlanBuilder(String name) {
    this.name = requireNonNull(name, "name");
  }

  /** Sets {@code roles}; none for everybody. */
  public PlanBuilder roles(String... value) {
    roles = List.of(value);
    return this;
  }

  /** Sets {@code models}; none for all. */
  public PlanBuilder models(String... value) {
    models = List.of(value);
    return this;
  }

  /** Sets {@code max-tokens} and {@code above-max-tokens}. */
  public PlanBuilder maxTokens(long value, AboveMaxTokens above) {
    maxTokens = value;
    aboveMaxTokens = requireNonNull(above, "above");
    return this;
  }

  /** Sets {@code max-body}. */
  public PlanBuilder maxBody(ByteSize value) {
    maxBody = value;
    return this;
  }

  /** Sets {@code raw-messages}. */
  public PlanBuilder rawMessages(boolean value) {
    rawMessages = value;
    return this;
  }

  /** Sets {@code tools}. */
  public PlanBuilder tools(boolean value) {
    tools = value;
    return this;
  }

  /** Sets {@code server-tools}. */
  public PlanBuilder serverTools(boolean value) {
    serverTools = value;
    return this;
  }

  /** Sets {@code fast-mode}. */
  public PlanBuilder fastMode(boolean value) {
    fastMode = value;
    return this;
  }

  /** Sets {@code service-tier}. */
  public PlanBuilder serviceTier(boolean value) {
    serviceTier = value;
    return this;
  }

  /** Sets {@code inference-geo}. */
  public PlanBuilder inferenceGeo(boolean value) {
    inferenceGeo = value;
    return this;
  }

  /** Sets {@code workspaces}. */
  public PlanBuilder workspaces(boolean value) {
    workspaces = value;
    return this;
  }

  /** Sets {@code betas}; none at all when called without any. */
  public PlanBuilder betas(String... value) {
    betas = List.of(value);
    return this;
  }

  /** Sets {@code requests}. */
  public PlanBuilder requests(RequestRate value) {
    requests = value;
    return this;
  }

  /** Sets {@code concurrent}. */
  public PlanBuilder concurrent(int value) {
    concurrent = value;
    return this;
  }

  /** Sets {@code budgets}. */
  public PlanBuilder budgets(Budget... value) {
    budgets = List.of(value);
    return this;
  }

  /** Sets {@code shortfall}. */
  public PlanBuilder shortfall(Shortfall value) {
    shortfall = requireNonNull(value, "value");
    return this;
  }

  /** Sets {@code shadow}. */
  public PlanBuilder shadow(boolean value) {
    shadow = value;
    return this;
  }

  /**
   * Checks the values and returns the plan.
   *
   * @throws SettingsException with every value that is out of its range
   */
  public Plan build() {
    return new Plan(
        name,
        roles,
        models,
        maxTokens,
        aboveMaxTokens,
        maxBody,
        rawMessages,
        tools,
        serverTools,
        fastMode,
        serviceTier,
        inferenceGeo,
        workspaces,
        betas,
        requests,
        concurrent,
        budgets,
        shortfall,
        shadow);
  }
}
