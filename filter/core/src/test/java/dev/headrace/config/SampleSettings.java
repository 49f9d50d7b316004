package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A value other than the default for each setting, in the notation of the file. */
final class SampleSettings {
  /**
   * Lists are written as in a variable, what no variable can hold as in the file. The files need
   * not exist: nothing is read by these samples.
   */
  static final Map<String, String> VALUES =
      Map.ofEntries(
          Map.entry("enabled", "false"),
          Map.entry("mount", "/ai/claude"),
          Map.entry("upstream.base-url", "http://localhost:8089/anthropic"),
          Map.entry("upstream.api-key", "test-key"),
          Map.entry("upstream.api-key-file", "/run/secrets/anthropic"),
          Map.entry("upstream.ca-file", "/etc/ssl/corporate.pem"),
          Map.entry("upstream.max-connections", "17"),
          Map.entry("upstream.io-threads", "3"),
          Map.entry("upstream.buffer-size", "16KiB"),
          Map.entry("upstream.connection-idle", "7s"),
          Map.entry("upstream.connection-ttl", "90s"),
          Map.entry("upstream.forward-headers", "x-tenant,x-trace"),
          Map.entry("request.max-body", "4096B"),
          Map.entry("request.body-timeout", "1500ms"),
          Map.entry("request.extra-endpoints", "GET /v1/files,DELETE /v1/files/{id}"),
          Map.entry("identity.sources", "principal,address"),
          Map.entry("identity.session-attribute", "user"),
          Map.entry("identity.header", "x-remote-user"),
          Map.entry("identity.groups-header", "x-remote-groups"),
          Map.entry("identity.trusted-proxies", "10.0.0.0/8,fd00::1"),
          Map.entry("identity.trusted-hops", "2"),
          Map.entry("identity.keys-file", "/etc/headrace/keys.yaml"),
          Map.entry("cross-site.origins", "https://shop.example.com,http://localhost:5173"),
          Map.entry("cross-site.same-site", "true"),
          Map.entry("models.aliases", "{fast: claude-haiku-5-5, best: claude-opus-5-5}"),
          Map.entry("limits.max-users", "500"),
          Map.entry("limits.time-zone", "Europe/Berlin"),
          Map.entry("limits.waiting-places", "50"),
          Map.entry("limits.waiting-places-per-user", "2"),
          Map.entry("limits.waiting-longest", "3s"),
          Map.entry("limits.organisation-headers", "true"),
          Map.entry(
              "plans",
              "{staff: {roles: [staff], models: [best, claude-sonnet-5-5], max-tokens: 4096,"
                  + " above-max-tokens: lower, max-body: 1MiB, raw-messages: true, tools: false,"
                  + " server-tools: false, fast-mode: false, service-tier: false,"
                  + " inference-geo: false, workspaces: false, betas: [], requests: 60/1m,"
                  + " concurrent: 3,"
                  + " budgets: [5 USD/day, 100_000 output-tokens/hour], shortfall: stop-at-budget,"
                  + " shadow: true}, rest: {raw-messages: false}}"),
          Map.entry(
              "presets",
              "{support: {roles: [staff], model: best, system: 'Be kind.', cache-system: true,"
                  + " tools: '[{\"name\":\"a\"}]', max-tokens: 1024, format: simple,"
                  + " disconnect-policy: drain, open: [max_tokens]}}"),
          Map.entry("timeouts.connect", "2s"),
          Map.entry("timeouts.first-event", "3m"),
          Map.entry("timeouts.idle", "4m"),
          Map.entry("timeouts.slow-client", "5s"),
          Map.entry("timeouts.total", "1h"),
          Map.entry("timeouts.heartbeat", "off"),
          Map.entry("timeouts.idle-content", "5m"),
          Map.entry("timeouts.early-commit", "2s"),
          Map.entry("upstream.selection", "weighted"),
          Map.entry(
              "upstream.members",
              "[{name: a, base-url: 'http://localhost:1', api-key: k1, weight: 3}, {api-key: k2}]"),
          Map.entry("retry.fallbacks", "{claude-b: [claude-c, claude-a], claude-a: [claude-c]}"),
          Map.entry("retry.max-attempts", "4"),
          Map.entry("retry.wait-duration", "250ms"),
          Map.entry("retry.max-wait-duration", "9s"),
          Map.entry("retry.budget-percent", "10"),
          Map.entry("retry.budget-per-second", "5"),
          Map.entry("retry.hold", "first-content"),
          Map.entry("retry.hold-time", "1s"),
          Map.entry("breaker.enabled", "false"),
          Map.entry("breaker.failure-rate-threshold", "60"),
          Map.entry("breaker.sliding-window-size", "100"),
          Map.entry("breaker.minimum-number-of-calls", "10"),
          Map.entry("breaker.wait-duration-in-open-state", "5s"),
          Map.entry("breaker.permitted-number-of-calls-in-half-open-state", "2"),
          Map.entry("disconnect.policy", "drain"),
          Map.entry("disconnect.drain-time", "10s"),
          Map.entry("disconnect.drain-tokens", "500"),
          Map.entry("blocking.max-concurrent", "8"),
          Map.entry("blocking.writers", "never"),
          Map.entry("blocking.writer-threads", "7"),
          Map.entry("listeners.threads", "3"),
          Map.entry("listeners.max-message", "1MiB"),
          Map.entry("listeners.max-waiting", "32MiB"),
          Map.entry("buffers.soft", "32KiB"),
          Map.entry("buffers.hard", "1MiB"),
          Map.entry("buffers.hold", "2KiB"),
          Map.entry("buffers.max-event", "3MiB"),
          Map.entry("usage.log", "false"),
          Map.entry("usage.prices-file", "/etc/headrace/prices.yaml"),
          Map.entry("usage.queue", "500"),
          Map.entry("usage.spool", "/var/spool/headrace"),
          Map.entry("usage.spool-max", "64MiB"),
          Map.entry("usage.jdbc-url", "jdbc:mariadb://localhost:3307/books"),
          Map.entry("usage.jdbc-user", "headrace"),
          Map.entry("usage.jdbc-password", "test-password"),
          Map.entry("usage.jdbc-driver", "org.example.Driver"),
          Map.entry("usage.data-source", "jdbc/headrace"),
          Map.entry("usage.report-role", "controller"),
          Map.entry("usage.report-key", "test-report-key-1"),
          Map.entry("metrics.addresses", "192.0.2.0/24,fd00::1"),
          Map.entry("shutdown.drain", "0"));

  static final Environment NOTHING = Environment.of(Map.of(), Map.of());

  private SampleSettings() {}

  /** A builder with what the sample of a setting cannot do without. */
  static GatewaySettingsBuilder needsOf(Setting<?> setting) {
    GatewaySettingsBuilder builder = GatewaySettings.builder();
    String key = setting.key();
    if (!key.startsWith("upstream.api-key")) {
      builder.upstreamApiKey(Secret.of("key-from-code"));
    }
    switch (key) {
      case "identity.session-attribute" -> builder.identitySources(List.of(IdentitySource.SESSION));
      case "identity.keys-file" -> builder.identitySources(List.of(IdentitySource.KEY));
      case "identity.header", "identity.groups-header" ->
          builder
              .identitySources(List.of(IdentitySource.HEADER))
              .identityHeader("x-user")
              .identityTrustedProxies(List.of(AddressBlock.parse("192.0.2.1")));
      case "identity.trusted-hops" ->
          builder.identityTrustedProxies(List.of(AddressBlock.parse("192.0.2.1")));
      case "plans", "presets" -> builder.identitySources(List.of(IdentitySource.PRINCIPAL));
      default -> {}
    }
    if (key.startsWith("usage.jdbc-") || key.equals("usage.data-source")) {
      builder.usageSpool(Path.of("/spool/from/code"));
    }
    if (key.startsWith("usage.jdbc-") && !key.equals("usage.jdbc-url")) {
      builder.usageJdbcUrl("jdbc:h2:mem:from-code");
    }
    return builder;
  }

  static String of(Setting<?> setting) {
    return requireNonNull(VALUES.get(setting.key()), setting.key());
  }

  /** Reads a sample: alone if that is possible, else as a file. */
  static <T> T valueOf(Setting<T> setting) throws BadValue {
    String text = of(setting);
    if (setting.type().isText()) {
      return setting.read(text);
    }
    GatewaySettings settings =
        SettingsReader.read(yaml(setting, text), "sample.yaml", NOTHING, needsOf(setting))
            .settings();
    return requireNonNull(setting.valueIn(settings));
  }

  /** An environment with these variables and no system properties. */
  static Environment variables(String... namesAndValues) {
    Map<String, String> variables =
        IntStream.range(0, namesAndValues.length / 2)
            .boxed()
            .collect(Collectors.toMap(i -> namesAndValues[2 * i], i -> namesAndValues[2 * i + 1]));
    return Environment.of(variables, Map.of());
  }

  /** A file that sets one key. */
  static String yaml(Setting<?> setting, String value) {
    boolean list = setting.typeName().startsWith("list of") && setting.type().isText();
    String written = list ? "[" + quoted(value) + "]" : value;
    String line = setting.name() + ": " + written + "\n";
    return setting.group().isEmpty() ? line : setting.group() + ":\n  " + line;
  }

  private static String quoted(String list) {
    return "\"" + list.replace(",", "\", \"") + "\"";
  }
}
