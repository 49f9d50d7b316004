package dev.headrace.upstream;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One request to the upstream, already complete: nothing is added to it but {@code Host}, {@code
 * Content-Length} and {@code Connection}. The array is not copied, so that a body of many MiB
 * exists once.
 *
 * @param origin scheme, host and port of the upstream; nothing else of it is used
 * @param method the HTTP method
 * @param pathAndQuery an absolute path, with its query if any, that our own code has put together
 * @param headers the header fields in order, credentials included
 * @param body the body, or null for none
 * @param bodyLength how many bytes of {@code body} are the body
 */
@SuppressWarnings("ArrayRecordComponent") // compared nowhere
public record UpstreamRequest(
    URI origin,
    String method,
    String pathAndQuery,
    List<HeaderField> headers,
    byte @Nullable [] body,
    int bodyLength) {

  public UpstreamRequest {
    requireNonNull(origin, "origin");
    requireNonNull(method, "method");
    requireNonNull(pathAndQuery, "pathAndQuery");
    headers = List.copyOf(headers);
    if (body == null ? bodyLength != 0 : bodyLength < 0 || bodyLength > body.length) {
      throw new IllegalArgumentException("body length " + bodyLength);
    }
  }

  /** Says what is sent where, without headers or body: those hold secrets and prompts. */
  @Override
  public String toString() {
    return method + " " + pathAndQuery + " (" + bodyLength + " bytes)";
  }
}
