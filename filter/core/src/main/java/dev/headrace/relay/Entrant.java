package dev.headrace.relay;

import dev.headrace.admission.PresetBodies;
import dev.headrace.admission.RefusedException;
import dev.headrace.admission.UpstreamBody;
import dev.headrace.messages.InvalidBodyException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request that may come in: whose it is and by which rules its body is looked at. Immutable.
 *
 * @param user who asks; null when nobody was identified and nobody has to be
 * @param role the role or group by which the plan is theirs; null for none
 * @param plan what they may ask, and how much
 * @param preset makes the upstream body; null when the client writes it itself
 * @param betas the values of the {@code anthropic-beta} header lines
 */
record Entrant(
    @Nullable String user,
    @Nullable String role,
    PlanRules plan,
    @Nullable PresetBodies preset,
    List<String> betas) {

  /** All who are not identified share one account. */
  private static final String NOBODY = "anonymous:";

  /** The name under which their use is counted. */
  String account() {
    return user == null ? NOBODY : user;
  }

  /** The name of the preset; null for none. */
  @Nullable String presetName() {
    return preset == null ? null : preset.preset().name();
  }

  /**
   * The body that goes upstream for this one.
   *
   * @throws InvalidBodyException if it cannot be read; a 400
   * @throws RefusedException if a rule of the plan or the preset forbids it
   */
  UpstreamBody body(byte[] body, int length) throws InvalidBodyException, RefusedException {
    if (preset == null) {
      return plan.policy().admit(body, length, betas);
    }
    plan.policy().checkSize(length);
    return preset.body(body, length, plan.policy());
  }
}
