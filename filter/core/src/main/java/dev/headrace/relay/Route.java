package dev.headrace.relay;

import dev.headrace.messages.ApiError;
import org.jspecify.annotations.Nullable;

/** Where a client request leads to. */
sealed interface Route {

  /**
   * To the upstream.
   *
   * @param endpoint the template that matched
   * @param pathAndQuery path and query for the upstream, put together by us from the template
   * @param preset the name of the preset that is asked; null for none
   */
  record Upstream(Endpoint endpoint, String pathAndQuery, @Nullable String preset)
      implements Route {}

  /** Answered here with an empty 200: a client only wants to know whether anybody is there. */
  record Probe() implements Route {}

  /** Answered here: whether new requests are taken. */
  record Ready() implements Route {}

  /** Answered here: whether events reach the client one by one. */
  record StreamingCheck() implements Route {}

  /** Answered here: what the books say. */
  record Report() implements Route {}

  /**
   * Nowhere.
   *
   * @param error what the client is told
   * @param allow value of the {@code Allow} header with a 405, else null
   */
  record Refused(ApiError error, @Nullable String allow) implements Route {}
}
