package dev.headrace.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.upstream.HeaderField;
import dev.headrace.upstream.UpstreamResponseHead;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClientHeadersTest {

  @Test
  void onlyListedHeadersOfTheUpstreamReachTheClient() {
    UpstreamResponseHead head =
        head(
            "Content-Type", "text/event-stream; charset=utf-8",
            "Cache-Control", "no-store, must-revalidate",
            "Request-Id", "req_1",
            "Retry-After", "3",
            "X-Should-Retry", "true",
            "anthropic-ratelimit-requests-limit", "50",
            "anthropic-organization-id", "org",
            "Transfer-Encoding", "chunked",
            "Connection", "keep-alive, X-Foo",
            "Content-Length", "99",
            "Set-Cookie", "a=b",
            "Location", "https://elsewhere.example",
            "Strict-Transport-Security", "max-age=1",
            "Server", "cloudflare");

    assertThat(ClientHeaders.of(head, "0123"))
        .containsExactlyInAnyOrder(
            new HeaderField("content-type", "text/event-stream; charset=utf-8"),
            new HeaderField("request-id", "req_1"),
            new HeaderField("retry-after", "3"),
            new HeaderField("x-should-retry", "true"),
            new HeaderField("anthropic-ratelimit-requests-limit", "50"),
            new HeaderField("cache-control", "no-cache"),
            new HeaderField("x-accel-buffering", "no"),
            new HeaderField("x-content-type-options", "nosniff"),
            new HeaderField("headrace-exchange-id", "0123"));
  }

  @Test
  void jsonKeepsTheUpstreamsCachingAndIsNotMarkedAsAStream() {
    assertThat(
            ClientHeaders.of(
                head("content-type", "application/json", "cache-control", "private"), "0123"))
        .contains(new HeaderField("cache-control", "private"))
        .noneMatch(field -> field.is("x-accel-buffering"));
  }

  private static UpstreamResponseHead head(String... namesAndValues) {
    List<HeaderField> fields = new java.util.ArrayList<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      fields.add(new HeaderField(namesAndValues[i], namesAndValues[i + 1]));
    }
    return new UpstreamResponseHead(200, fields);
  }
}
