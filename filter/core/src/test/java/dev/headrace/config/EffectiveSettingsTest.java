package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EffectiveSettingsTest {
  @Test
  void everySettingIsOnOneLineWithItsOrigin() {
    LoadedSettings loaded =
        SettingsReader.read(
            """
            upstream:
              api-key: k
              forward-headers: [x-tenant, x-trace]
            request:
              extra-endpoints: ["GET /v1/files/{id}"]
            timeouts:
              heartbeat: off
              total: 1h
            """,
            "headrace.yaml",
            SampleSettings.variables("HEADRACE_BUFFERS_HOLD", "4096B"),
            GatewaySettings.builder().mount("/ai"));
    assertThat(EffectiveSettings.describe(loaded))
        .isEqualTo(
            """
            enabled = true  (default)
            mount = "/ai"  (code)
            upstream.base-url = "https://api.anthropic.com"  (default)
            upstream.api-key = ****  (headrace.yaml:2)
            upstream.max-connections = 10000  (default)
            upstream.io-threads = 0  (default)
            upstream.buffer-size = 8KiB  (default)
            upstream.connection-idle = 60s  (default)
            upstream.connection-ttl = 5m  (default)
            upstream.forward-headers = ["x-tenant", "x-trace"]  (headrace.yaml:3)
            request.max-body = 32MiB  (default)
            request.body-timeout = 60s  (default)
            request.extra-endpoints = ["GET /v1/files/{id}"]  (headrace.yaml:5)
            timeouts.connect = 5s  (default)
            timeouts.first-event = 120s  (default)
            timeouts.idle = 120s  (default)
            timeouts.slow-client = 60s  (default)
            timeouts.total = 1h  (headrace.yaml:8)
            timeouts.heartbeat = off  (headrace.yaml:7)
            buffers.soft = 256KiB  (default)
            buffers.hard = 8MiB  (default)
            buffers.hold = 4KiB  (HEADRACE_BUFFERS_HOLD)
            buffers.max-event = 1MiB  (default)
            shutdown.drain = 10s  (default)
            """);
  }

  @Test
  void settingsMadeInCodeAreMarkedWhereTheyDifferFromTheDefault() {
    GatewaySettings settings =
        GatewaySettings.builder().upstreamApiKey(Secret.of("k")).mount("/ai").build();
    assertThat(EffectiveSettings.describe(settings))
        .contains("enabled = true  (default)\n", "mount = \"/ai\"  (code)\n");
  }
}
