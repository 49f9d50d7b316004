package dev.headrace.simulator;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Calls a simulator with the JDK's client, HTTP/1.1. Thread-safe. */
final class HttpCaller {
  static final String BODY =
      "{\"model\":\"claude-opus-5-5\",\"max_tokens\":1024,\"messages\":[{\"role\":\"user\",\"content\":\"Hello?\"}]}";
  static final String STREAMING_BODY = BODY.substring(0, BODY.length() - 1) + ",\"stream\":true}";

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI base;

  HttpCaller(ClaudeSimulator claude) {
    this.base = claude.baseUrl();
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(base.resolve(path))
        .timeout(Duration.ofSeconds(20))
        .header("x-api-key", "sk-test")
        .header("anthropic-version", "2026-10-21")
        .header("content-type", "application/json");
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return send(request(path).GET().build());
  }

  HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
    return send(request(path).POST(HttpRequest.BodyPublishers.ofString(body)).build());
  }

  HttpResponse<String> message() throws IOException, InterruptedException {
    return post("/v1/messages", BODY);
  }

  HttpResponse<String> stream() throws IOException, InterruptedException {
    return post("/v1/messages", STREAMING_BODY);
  }

  CompletableFuture<HttpResponse<String>> streamAsync() {
    return client.sendAsync(
        request("/v1/messages").POST(HttpRequest.BodyPublishers.ofString(STREAMING_BODY)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
    return client.send(request, HttpResponse.BodyHandlers.ofString());
  }
}
