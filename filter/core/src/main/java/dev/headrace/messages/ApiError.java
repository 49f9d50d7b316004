package dev.headrace.messages;

import static java.util.Objects.requireNonNull;

import dev.headrace.sse.SseWriter;
import java.io.ByteArrayOutputStream;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;

/**
 * An error in the API's own shape, so that official SDKs map ours like the API's (API reference,
 * "Errors", as of 2026-11-22). Immutable.
 *
 * @param status HTTP status
 * @param type such as {@code overloaded_error}; new ones may appear
 * @param message text for the developer behind the client
 * @param requestId the API's id of the request, null when unknown
 */
public record ApiError(int status, String type, String message, @Nullable String requestId) {

  /** The status of types without one of their own; SDKs retry it. */
  private static final int UNKNOWN = 500;

  private static final Pattern SPEND =
      Pattern.compile("\\bspend|usage limits?\\b|credit balance", Pattern.CASE_INSENSITIVE);

  /**
   * Narrow, since the message of a 400 may repeat what a client has sent, such as the name of a
   * field that the API does not know, in front of what it says of it.
   */
  private static final Pattern OF_ACCOUNT =
      Pattern.compile(
          "^(?!.*not permitted)You(r credit balance is too low| have reached your specified"
              + " (workspace )?API usage limits)\\b");

  public ApiError {
    requireNonNull(type, "type");
    requireNonNull(message, "message");
  }

  /**
   * The type if it is one that the API reference names, else {@code other}: what an upstream may
   * write there has no end, and neither metrics nor a line of the log should.
   */
  public String knownType() {
    return statusOf(type) != UNKNOWN || type.equals("api_error") ? type : "other";
  }

  /** The same, with this id of the request if it has none. */
  public ApiError orRequestId(@Nullable String other) {
    return requestId != null ? this : new ApiError(status, type, message, other);
  }

  /**
   * Whether another try may bring what this one did not. Not for a limit of money, as far as the
   * message tells: nothing goes on until somebody pays or raises it.
   */
  public boolean isRetryable() {
    return switch (type) {
      case "overloaded_error", "api_error", "timeout_error" -> true;
      case "rate_limit_error" -> !SPEND.matcher(message).find();
      default -> false;
    };
  }

  /**
   * The body of an error answer: {@code
   * {"type":"error","error":{"type":…,"message":…},"request_id":…}}.
   */
  public byte[] json() {
    ByteArrayOutputStream out = new ByteArrayOutputStream(128 + message.length());
    try (JsonGenerator json = JsonInput.output().createGenerator(ObjectWriteContext.empty(), out)) {
      json.writeStartObject();
      json.writeStringProperty("type", "error");
      json.writeObjectPropertyStart("error");
      json.writeStringProperty("type", WellFormed.repair(type));
      json.writeStringProperty("message", WellFormed.repair(message));
      json.writeEndObject();
      json.writeName("request_id");
      if (requestId == null) {
        json.writeNull();
      } else {
        json.writeString(WellFormed.repair(requestId));
      }
      json.writeEndObject();
    }
    return out.toByteArray();
  }

  /**
   * A complete {@code error} event for a stream whose status is already sent; no {@code
   * message_stop} follows it.
   */
  public byte[] sseEvent() {
    return SseWriter.event("error", json());
  }

  /** The HTTP status that goes with a type; 500 for unknown ones. */
  public static int statusOf(String errorType) {
    return switch (errorType) {
      case "invalid_request_error" -> 400;
      case "authentication_error" -> 401;
      case "billing_error" -> 402;
      case "permission_error" -> 403;
      case "not_found_error" -> 404;
      case "conflict_error" -> 409;
      case "request_too_large" -> 413;
      case "rate_limit_error" -> 429;
      case "timeout_error" -> 504;
      case "overloaded_error" -> 529;
      default -> UNKNOWN;
    };
  }

  /**
   * The type that goes with an HTTP status: for other 4xx {@code invalid_request_error}, for
   * anything else {@code api_error}.
   */
  public static String typeOf(int status) {
    return switch (status) {
      case 401 -> "authentication_error";
      case 402 -> "billing_error";
      case 403 -> "permission_error";
      case 404 -> "not_found_error";
      case 409 -> "conflict_error";
      case 413 -> "request_too_large";
      case 429 -> "rate_limit_error";
      case 504 -> "timeout_error";
      case 529 -> "overloaded_error";
      default -> status >= 400 && status < 500 ? "invalid_request_error" : "api_error";
    };
  }

  /**
   * Reads the data of an {@code error} event or the body of an error answer, leniently: with or
   * without {@code details} and {@code request_id}, and without the outer type, as the edge before
   * the API sends it with 413. Something cut off is still an error once its type was read. The
   * status is that of the type.
   *
   * @return null when this is no error of the API, such as HTML or another event
   * @throws IndexOutOfBoundsException if the range is not inside the array
   */
  public static @Nullable ApiError fromEventData(byte[] data, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, data.length);
    return new ApiErrorReader().read(data, offset, length);
  }

  /**
   * Whether an error says that money is the limit: such a 429 fails until somebody pays or raises a
   * limit, so nobody should try again (API reference, "Rate limits": tier caps come without {@code
   * retry-after}, and two error codes name a limit).
   *
   * @param data the body of a 429 or the data of an error event
   * @param hasRetryAfter whether the upstream named a time after which to try again; then only its
   *     error code counts, not the words of its message
   */
  public static boolean namesSpendLimit(
      byte[] data, int offset, int length, boolean hasRetryAfter) {
    Objects.checkFromIndexSize(offset, length, data.length);
    ApiErrorReader reader = new ApiErrorReader();
    ApiError error = reader.read(data, offset, length);
    String code = reader.errorCode();
    return (code != null && code.endsWith("spend_limit_reached"))
        || (error != null && !hasRetryAfter && SPEND.matcher(error.message()).find());
  }

  /**
   * Whether an error that the API reports as one of the request, 400, is one of the account: a
   * spend limit that its owner has set, or no credit (API reference, "Errors", as of 2026-11-22).
   *
   * @param data the body of a 400
   */
  public static boolean namesLimitOfAccount(byte[] data, int offset, int length) {
    ApiError error = fromEventData(data, offset, length);
    return error != null && OF_ACCOUNT.matcher(error.message()).find();
  }
}
