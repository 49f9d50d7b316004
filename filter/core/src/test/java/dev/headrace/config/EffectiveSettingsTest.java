package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EffectiveSettingsTest {
  @Test
  void everySettingIsOnOneLineWithItsOrigin(@TempDir Path folder) throws IOException {
    Path key = Files.writeString(folder.resolve("b.key"), "key-of-b");
    LoadedSettings loaded =
        SettingsReader.read(
            """
            upstream:
              api-key: k
              forward-headers: [x-tenant, x-trace]
              members:
              - base-url: https://example.com/
                api-key: member-key
              - {name: b, api-key-file: "%s", weight: 7}
            request:
              extra-endpoints: ["GET /v1/files/{id}"]
            timeouts:
              heartbeat: off
              total: 1h
            retry:
              fallbacks:
                claude-b: [claude-c, claude-a]
                claude-a:
                - claude-c
              hold: first-content
            """
                .formatted(key),
            "headrace.yaml",
            SampleSettings.variables("HEADRACE_BUFFERS_HOLD", "4096B"),
            GatewaySettings.builder().mount("/ai"));
    assertThat(EffectiveSettings.describe(loaded))
        .isEqualTo(
            """
            from headrace.yaml
            enabled = true  (default)
            mount = "/ai"  (code)
            upstream.base-url = "https://api.anthropic.com"  (default)
            upstream.api-key = ****  (headrace.yaml:2)
            upstream.selection = ordered  (default)
            upstream.members = [{name: "member-1", base-url: "https://example.com", api-key: ****, weight: 1}, {name: "b", api-key-file: "%s", weight: 7}]  (headrace.yaml:5)
            upstream.max-connections = 10000  (default)
            upstream.io-threads = 0  (default)
            upstream.buffer-size = 2KiB  (default)
            upstream.connection-idle = 4m  (default)
            upstream.connection-ttl = 5m  (default)
            upstream.forward-headers = ["x-tenant", "x-trace"]  (headrace.yaml:3)
            request.max-body = 32MiB  (default)
            request.body-timeout = 60s  (default)
            request.extra-endpoints = ["GET /v1/files/{id}"]  (headrace.yaml:9)
            identity.sources = []  (default)
            identity.trusted-proxies = []  (default)
            identity.trusted-hops = 0  (default)
            cross-site.origins = []  (default)
            cross-site.same-site = false  (default)
            models.aliases = {}  (default)
            limits.max-users = 100000  (default)
            limits.time-zone = UTC  (default)
            limits.waiting-places = 0  (default)
            limits.waiting-places-per-user = 4  (default)
            limits.waiting-longest = 10s  (default)
            limits.organisation-headers = false  (default)
            plans = {}  (default)
            presets = {}  (default)
            timeouts.connect = 5s  (default)
            timeouts.first-event = 120s  (default)
            timeouts.idle = 120s  (default)
            timeouts.idle-content = 10m  (default)
            timeouts.slow-client = 60s  (default)
            timeouts.total = 1h  (headrace.yaml:12)
            timeouts.heartbeat = off  (headrace.yaml:11)
            timeouts.early-commit = off  (default)
            buffers.soft = 256KiB  (default)
            buffers.hard = 8MiB  (default)
            buffers.hold = 4KiB  (HEADRACE_BUFFERS_HOLD)
            buffers.max-event = 1MiB  (default)
            retry.max-attempts = 3  (default)
            retry.wait-duration = 500ms  (default)
            retry.max-wait-duration = 8s  (default)
            retry.budget-percent = 20  (default)
            retry.budget-per-second = 3  (default)
            retry.hold = first-content  (headrace.yaml:18)
            retry.hold-time = 3s  (default)
            retry.fallbacks = {claude-b: ["claude-c", "claude-a"], claude-a: ["claude-c"]}  (headrace.yaml:15)
            breaker.enabled = true  (default)
            breaker.failure-rate-threshold = 50  (default)
            breaker.sliding-window-size = 50  (default)
            breaker.minimum-number-of-calls = 20  (default)
            breaker.wait-duration-in-open-state = 10s  (default)
            breaker.permitted-number-of-calls-in-half-open-state = 5  (default)
            disconnect.policy = cancel  (default)
            disconnect.drain-time = 30s  (default)
            disconnect.drain-tokens = 2000  (default)
            blocking.max-concurrent = 16  (default)
            blocking.writers = auto  (default)
            blocking.writer-threads = 64  (default)
            listeners.threads = 2  (default)
            listeners.max-message = 8MiB  (default)
            listeners.max-waiting = 64MiB  (default)
            usage.log = true  (default)
            usage.queue = 10000  (default)
            usage.spool-max = 1GiB  (default)
            metrics.addresses = ["127.0.0.0/8", "::1"]  (default)
            shutdown.drain = 10s  (default)
            """
                .formatted(key));
  }

  @Test
  void settingsMadeInCodeAreMarkedWhereTheyDifferFromTheDefault() {
    GatewaySettings settings =
        GatewaySettings.builder().upstreamApiKey(Secret.of("k")).mount("/ai").build();
    assertThat(EffectiveSettings.describe(settings))
        .contains(
            "enabled = true  (default)\n",
            "mount = \"/ai\"  (code)\n",
            "upstream.members = []  (default)\n",
            "retry.fallbacks = {}  (default)\n");
  }
}
