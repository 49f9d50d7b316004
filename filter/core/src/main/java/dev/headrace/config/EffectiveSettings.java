package dev.headrace.config;

/** x. */
public final class EffectiveSettings {
  private EffectiveSettings() {}

  /** x. */
  public static String describe(GatewaySettings s) {
    return s.toString();
  }
}
