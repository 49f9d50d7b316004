package dev.headrace.relay;

import dev.headrace.messages.ApiError;
import dev.headrace.upstream.HeaderField;
import dev.headrace.upstream.UpstreamResponseHead;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The response headers of one exchange: those of {@link ClientHeaders}, and what its user is to
 * know of the model and of their own limits. Thread-safe.
 */
final class AnswerHeaders {

  private final String exchangeId;
  private final boolean hidesOrganisation;
  private final @Nullable Allowance allowance;

  /**
   * @param hidesOrganisation whether the limits of the whole organisation are left out
   * @param allowance the user's own limits; null without
   */
  AnswerHeaders(String exchangeId, boolean hidesOrganisation, @Nullable Allowance allowance) {
    this.exchangeId = exchangeId;
    this.hidesOrganisation = hidesOrganisation;
    this.allowance = allowance;
  }

  /**
   * Of an answer that is passed on.
   *
   * @param fallbackModel the model that answers, when it is not the one that was asked
   */
  List<HeaderField> of(
      UpstreamResponseHead head, Delivery delivery, @Nullable String fallbackModel) {
    return complete(delivery.headers(ClientHeaders.of(head, exchangeId)), fallbackModel);
  }

  /** Of an answer that is passed on in one piece. */
  List<HeaderField> ofWhole(
      UpstreamResponseHead head, int contentLength, @Nullable String fallbackModel) {
    return complete(ClientHeaders.ofWhole(head, contentLength, exchangeId), fallbackModel);
  }

  /** Of an error of ours. */
  List<HeaderField> of(ApiError error, byte[] json) {
    List<HeaderField> headers = ClientHeaders.ofJson(json.length, exchangeId);
    String requestId = error.requestId();
    return requestId == null ? headers : ClientHeaders.with(headers, "request-id", requestId);
  }

  /** An SDK would repeat all our attempts two more times. */
  static List<HeaderField> withoutRetry(List<HeaderField> headers) {
    return ClientHeaders.with(headers, "x-should-retry", "false");
  }

  /** These headers with what the user is to know. */
  List<HeaderField> complete(List<HeaderField> headers, @Nullable String fallbackModel) {
    List<HeaderField> fields =
        hidesOrganisation ? ClientHeaders.withoutRateLimits(headers) : headers;
    if (allowance != null) {
      fields = ClientHeaders.with(fields, allowance.headers());
    }
    return fallbackModel == null
        ? fields
        : ClientHeaders.with(fields, "headrace-model", fallbackModel);
  }
}
