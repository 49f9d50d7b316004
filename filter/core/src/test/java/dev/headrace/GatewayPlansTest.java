package dev.headrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.IdentitySource;
import dev.headrace.config.Secret;
import dev.headrace.config.SettingsException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Plans that come later; what they do to requests is tested in filter/containers. */
class GatewayPlansTest {

  private static GatewaySettingsBuilder settings() {
    return GatewaySettings.builder().upstreamApiKey(Secret.of("sk-test"));
  }

  private static Map<String, Plan> plans(Plan... plans) {
    Map<String, Plan> byName = new LinkedHashMap<>();
    for (Plan plan : plans) {
      byName.put(plan.name(), plan);
    }
    return byName;
  }

  private static void assertRefused(Gateway gateway, Map<String, Plan> plans, String problem) {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> gateway.setPlans(plans))
        .satisfies(failure -> assertThat(failure.problems()).containsExactly(problem));
  }

  @Test
  void planThatNobodyWouldGetIsRefusedAsAtTheStart() {
    GatewaySettings settings =
        settings().identitySources(List.of(IdentitySource.PRINCIPAL)).build();
    try (Gateway gateway = Gateway.start(settings)) {
      Plan all = Plan.open("all");
      Plan staff = Plan.builder("staff").roles("staff").build();
      assertRefused(
          gateway,
          plans(all, staff),
          "plans.staff is nobody's plan: the first that fits is taken, and plans.all has no roles"
              + " and so is for everybody (expected: plans.staff above plans.all, or other roles)");
      gateway.setPlans(plans(staff, all));
    }
  }

  @Test
  void rolesThatNoSourceTellsAreRefusedAsAtTheStart() {
    try (Gateway gateway = Gateway.start(settings().build())) {
      assertRefused(
          gateway,
          plans(Plan.builder("staff").roles("staff").build()),
          "plans.staff.roles is set, and nothing in identity.sources tells roles (expected:"
              + " principal, session, key, resolver, or header with identity.groups-header)");
    }
  }

  @Test
  void limitsAreNotTakenAwayAltogether() {
    try (Gateway gateway = Gateway.start(settings().plans(plans(Plan.open("all"))).build())) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> gateway.setPlans(Map.of()))
          .withMessage("no plans (expected: at least one)");
    }
  }
}
