package dev.headrace.admission;

import dev.headrace.messages.InvalidBodyException;
import dev.headrace.messages.Printable;
import dev.headrace.messages.RequestHead;
import dev.headrace.messages.RequestOutline;
import dev.headrace.messages.RequestOutline.Field;
import dev.headrace.messages.RequestOutline.Kind;
import dev.headrace.messages.RequestOutline.ServerTool;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What the callers of one plan may ask of the API, and what is changed in their requests. A refusal
 * names the rule and its setting. Rules look at requests as clients say them: models are compared
 * before aliases are replaced. Immutable and thread-safe.
 *
 * <p>A policy sees only bodies that it reads, those of {@code /v1/messages} and {@code
 * /v1/messages/count_tokens}. Where {@link #isOpen()} is false, endpoints that name models deeper
 * inside, such as batches, must stay closed.
 */
public final class RequestPolicy {

  /** Whether something may be asked for. */
  public enum Rule {
    ALLOWED,
    REFUSED
  }

  /** What happens to a {@code max_tokens} above the cap. */
  public enum AboveCap {
    /** The request is refused with 400. */
    REFUSE,
    /** The request goes upstream with the cap instead. */
    LOWER
  }

  private static final int MAX_SHOWN_NAMES = 20;

  /** Where the API counts what is spent, and for whom: headers, not fields of the body. */
  private static final List<String> WORKSPACE_HEADERS =
      List.of("anthropic-workspace-id", "anthropic-user-profile-id");

  private final String plan;
  private final Map<String, String> aliases;
  private final Set<String> models;
  private final @Nullable Long maxTokens;
  private final AboveCap aboveMaxTokens;
  private final @Nullable Long maxBodyBytes;
  private final @Nullable Set<String> betas;
  private final Rule rawMessages;
  private final Rule tools;
  private final Rule serverTools;
  private final Rule fastMode;
  private final Rule serviceTier;
  private final Rule inferenceGeo;
  private final Rule workspaces;

  private RequestPolicy(Builder builder) {
    plan = builder.plan;
    aliases = Map.copyOf(builder.aliases);
    models = Collections.unmodifiableSet(new LinkedHashSet<>(builder.models));
    maxTokens = builder.maxTokens;
    aboveMaxTokens = builder.aboveMaxTokens;
    maxBodyBytes = builder.maxBodyBytes;
    betas = builder.betas == null ? null : Set.copyOf(builder.betas);
    rawMessages = builder.rawMessages;
    tools = builder.tools;
    serverTools = builder.serverTools;
    fastMode = builder.fastMode;
    serviceTier = builder.serviceTier;
    inferenceGeo = builder.inferenceGeo;
    workspaces = builder.workspaces;
  }

  /**
   * Begins a policy that allows everything.
   *
   * @param plan where its settings stand, such as {@code plans.staff}; named in refusals
   */
  public static Builder of(String plan) {
    return new Builder(plan);
  }

  /** Whether every request passes, apart from aliases. */
  public boolean isOpen() {
    return rawMessages == Rule.ALLOWED
        && models.isEmpty()
        && maxTokens == null
        && maxBodyBytes == null
        && betas == null
        && workspaces == Rule.ALLOWED
        && !needsOutline();
  }

  private boolean needsOutline() {
    return !models.isEmpty() // because of "fallbacks"
        || tools == Rule.REFUSED
        || serverTools == Rule.REFUSED
        || fastMode == Rule.REFUSED
        || serviceTier == Rule.REFUSED
        || inferenceGeo == Rule.REFUSED;
  }

  /**
   * Decides before the body is read whether the endpoints that take the client's own body may be
   * called at all.
   *
   * @throws RefusedException 403 if presets only are open to this plan
   */
  public void checkRawMessages() throws RefusedException {
    if (rawMessages == Rule.REFUSED) {
      throw forbidden("this plan may use presets only", "raw-messages");
    }
  }

  /** The largest body of this plan in bytes, where that is less than what everybody may send. */
  public long maxBodyBytes(long everybodys) {
    return maxBodyBytes == null ? everybodys : Math.min(maxBodyBytes, everybodys);
  }

  /** Whether this plan may use presets only. */
  public boolean isForPresetsOnly() {
    return rawMessages == Rule.REFUSED;
  }

  /**
   * Decides on the size of a body, also a declared one; for presets, too.
   *
   * @param length in bytes; negative when unknown
   * @throws RefusedException 413 if it is too large for this plan
   */
  public void checkSize(long length) throws RefusedException {
    if (maxBodyBytes != null && length > maxBodyBytes) {
      throw refused(
          413, "body: larger than the " + maxBodyBytes + " bytes of this plan", "max-body");
    }
  }

  /**
   * Decides on the headers that say in which workspace and for whom a request counts at the API;
   * for every endpoint and for presets, too.
   *
   * @param isSent tells whether the request has a header
   * @throws RefusedException 403 if it has one that this plan may not send
   */
  public void checkWorkspaces(Predicate<String> isSent) throws RefusedException {
    if (workspaces == Rule.REFUSED) {
      for (String header : WORKSPACE_HEADERS) {
        if (isSent.test(header)) {
          throw forbidden(header + ": this plan may not send it", "workspaces");
        }
      }
    }
  }

  /**
   * Decides on a request of {@code /v1/messages} or {@code /v1/messages/count_tokens} and makes the
   * body that goes upstream; reads the body once.
   *
   * @param body holds the client's body from its start; is not changed
   * @param length how many bytes of the array are the body
   * @param betaHeaders the values of all {@code anthropic-beta} header lines
   * @return the client's array when nothing had to be changed, else a new one
   * @throws InvalidBodyException if the body cannot be read; a 400
   * @throws RefusedException if a rule forbids the request
   */
  public UpstreamBody admit(byte[] body, int length, List<String> betaHeaders)
      throws InvalidBodyException, RefusedException {
    checkRawMessages();
    checkSize(length);
    checkBetas(betaHeaders);
    RequestHead head;
    if (needsOutline()) {
      RequestOutline outline = RequestOutline.read(body, length);
      head = outline.head();
      checkModel("model", head.model());
      checkOutline(outline);
    } else {
      head = RequestHead.read(body, length);
    }
    return new BodyEdits(aliasOf(head.model()), loweredMaxTokens(head)).apply(body, length, head);
  }

  private void checkBetas(List<String> headers) throws RefusedException {
    if (betas == null) {
      return;
    }
    for (String line : headers) {
      for (String element : line.split(",", -1)) {
        String beta = withoutBlanks(element);
        if (!beta.isEmpty() && !betas.contains(beta)) {
          throw forbidden(
              "anthropic-beta: \""
                  + Printable.name(beta)
                  + "\" is not allowed; this plan may use "
                  + listed(betas),
              "betas");
        }
      }
    }
  }

  /** RFC 9110, 5.6.1: spaces and tabs around the elements of a list, nothing else. */
  private static String withoutBlanks(String element) {
    int start = 0;
    int end = element.length();
    while (start < end && isBlank(element.charAt(start))) {
      start++;
    }
    while (start < end && isBlank(element.charAt(end - 1))) {
      end--;
    }
    return element.substring(start, end);
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }

  private void checkModel(String field, @Nullable String model) throws RefusedException {
    // A missing model is refused by the API, which says so in the words that clients know.
    if (!models.isEmpty() && model != null && !models.contains(model)) {
      throw forbidden(
          field
              + ": \""
              + Printable.name(model)
              + "\" is not allowed; this plan may use "
              + listed(models),
          "models");
    }
  }

  private void checkOutline(RequestOutline outline) throws RefusedException {
    if (!models.isEmpty() && outline.has("fallbacks")) {
      throw forbidden(
          "fallbacks: not allowed, because this plan may use " + listed(models), "models");
    }
    for (String model : outline.toolModels()) {
      checkModel("tools: \"model\"", model);
    }
    if (tools == Rule.REFUSED && outline.tools() > 0) {
      throw forbidden("tools: this plan may not use tools", "tools");
    }
    if (tools == Rule.REFUSED || serverTools == Rule.REFUSED) {
      checkServerTools(outline);
    }
    checkServing(outline);
  }

  /**
   * Decides on what makes a request dearer or has it served elsewhere; for presets, too, whose
   * client may have added it.
   *
   * @throws RefusedException 403 if a rule forbids it
   */
  void checkServing(RequestOutline outline) throws RefusedException {
    checkWord(outline, "speed", "standard", fastMode, "fast-mode");
    checkWord(outline, "service_tier", "standard_only", serviceTier, "service-tier");
    checkWord(outline, "inference_geo", "global", inferenceGeo, "inference-geo");
  }

  private void checkServerTools(RequestOutline outline) throws RefusedException {
    String rule = serverTools == Rule.REFUSED ? "server-tools" : "tools";
    ServerTool tool = outline.serverTool();
    if (tool != null) {
      throw forbidden(
          "tools["
              + tool.index()
              + "].type: \""
              + tool.type()
              + "\" is not allowed; this plan may use tools of the client only",
          rule);
    }
    // A container is where the API runs code.
    for (String field : List.of("mcp_servers", "container")) {
      if (outline.has(field)) {
        throw forbidden(field + ": this plan may not use tools that the API runs", rule);
      }
    }
  }

  private void checkWord(
      RequestOutline outline, String name, String harmless, Rule rule, String setting)
      throws RefusedException {
    Field field = outline.field(name);
    if (rule == Rule.REFUSED
        && field != null
        && field.kind() != Kind.NULL
        && !harmless.equals(field.word())) {
      String shown = field.word() == null ? "this value" : '"' + Printable.name(field.word()) + '"';
      throw forbidden(
          name + ": " + shown + " is not allowed; this plan may use " + harmless, setting);
    }
  }

  private @Nullable String aliasOf(@Nullable String model) {
    return model == null ? null : aliases.get(model);
  }

  private @Nullable Long loweredMaxTokens(RequestHead head) throws RefusedException {
    Long asked = head.maxTokens();
    if (maxTokens == null || asked == null || asked <= maxTokens) {
      return null;
    }
    if (aboveMaxTokens == AboveCap.REFUSE) {
      throw refused(
          400,
          "max_tokens: " + asked + " is more than the " + maxTokens + " of this plan",
          "max-tokens");
    }
    return maxTokens;
  }

  private RefusedException forbidden(String what, String setting) {
    return refused(403, what, setting);
  }

  private RefusedException refused(int status, String what, String setting) {
    return new RefusedException(status, what + " (" + plan + "." + setting + ")");
  }

  private static String listed(Collection<String> names) {
    if (names.isEmpty()) {
      return "none";
    }
    List<String> shown = new ArrayList<>();
    names.stream().limit(MAX_SHOWN_NAMES).map(Printable::name).forEach(shown::add);
    int hidden = names.size() - shown.size();
    return String.join(", ", shown) + (hidden > 0 ? " and " + hidden + " more" : "");
  }

  /** Collects the rules of a policy. Not thread-safe. */
  public static final class Builder {
    private final String plan;
    private Map<String, String> aliases = Map.of();
    private Collection<String> models = List.of();
    private @Nullable Long maxTokens;
    private AboveCap aboveMaxTokens = AboveCap.REFUSE;
    private @Nullable Long maxBodyBytes;
    private @Nullable Collection<String> betas;
    private Rule rawMessages = Rule.ALLOWED;
    private Rule tools = Rule.ALLOWED;
    private Rule serverTools = Rule.ALLOWED;
    private Rule fastMode = Rule.ALLOWED;
    private Rule serviceTier = Rule.ALLOWED;
    private Rule inferenceGeo = Rule.ALLOWED;
    private Rule workspaces = Rule.ALLOWED;

    private Builder(String plan) {
      this.plan = plan;
    }

    /**
     * Sets the names that clients may say for models.
     *
     * @param aliases alias and the model that is asked then; an alias does not lead to another one
     */
    public Builder aliases(Map<String, String> aliases) {
      this.aliases = aliases;
      return this;
    }

    /**
     * Sets the models that may be asked.
     *
     * @param models the names that clients of this plan may say, aliases among them; empty for all.
     *     If not empty, {@code fallbacks} in a body is refused, because it names models, too
     */
    public Builder models(Collection<String> models) {
      this.models = models;
      return this;
    }

    /**
     * Sets the largest {@code max_tokens}.
     *
     * @param cap 0 or more
     */
    public Builder maxTokens(long cap, AboveCap above) {
      this.maxTokens = cap;
      this.aboveMaxTokens = above;
      return this;
    }

    /**
     * Sets the largest body.
     *
     * @param bytes 0 or more
     */
    public Builder maxBodyBytes(long bytes) {
      this.maxBodyBytes = bytes;
      return this;
    }

    /**
     * Sets the values of {@code anthropic-beta} that may be sent.
     *
     * @param betas null for all, empty for none
     */
    public Builder betas(@Nullable Collection<String> betas) {
      this.betas = betas;
      return this;
    }

    /** Says whether clients may send bodies of their own; if not, they may use presets only. */
    public Builder rawMessages(Rule rule) {
      this.rawMessages = rule;
      return this;
    }

    /** Says whether {@code tools} may be sent; refuses server tools with them. */
    public Builder tools(Rule rule) {
      this.tools = rule;
      return this;
    }

    /**
     * Says whether tools may be sent that the API runs and bills: those with a type other than
     * {@code custom}, {@code mcp_servers} and {@code container}.
     */
    public Builder serverTools(Rule rule) {
      this.serverTools = rule;
      return this;
    }

    /** Says whether {@code speed} may be other than {@code standard}; fast costs twice as much. */
    public Builder fastMode(Rule rule) {
      this.fastMode = rule;
      return this;
    }

    /** Says whether {@code service_tier} may be other than {@code standard_only}. */
    public Builder serviceTier(Rule rule) {
      this.serviceTier = rule;
      return this;
    }

    /** Says whether {@code inference_geo} may be other than {@code global}; others cost more. */
    public Builder inferenceGeo(Rule rule) {
      this.inferenceGeo = rule;
      return this;
    }

    /**
     * Says whether {@code anthropic-workspace-id} and {@code anthropic-user-profile-id} may be
     * sent.
     */
    public Builder workspaces(Rule rule) {
      this.workspaces = rule;
      return this;
    }

    /** Makes the policy. */
    public RequestPolicy build() {
      return new RequestPolicy(this);
    }
  }
}
