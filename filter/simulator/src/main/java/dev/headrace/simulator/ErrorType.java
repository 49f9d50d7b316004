package dev.headrace.simulator;

/** The pairs of HTTP status and {@code error.type} of the API, and the messages it gives. */
enum ErrorType {
  INVALID_REQUEST(400, "invalid_request_error", "Your request is not valid."),
  AUTHENTICATION(401, "authentication_error", "invalid x-api-key"),
  BILLING(402, "billing_error", "There is a problem with your billing information."),
  PERMISSION(
      403,
      "permission_error",
      "Your API key does not have permission to use the specified resource."),
  NOT_FOUND(404, "not_found_error", "Not found"),
  CONFLICT(409, "conflict_error", "The request conflicts with the resource's state."),
  TOO_LARGE(413, "request_too_large", "Request exceeds the maximum size"),
  RATE_LIMIT(
      429,
      "rate_limit_error",
      "This request would exceed your organization's rate limit of 50 requests per minute"),
  API(500, "api_error", "Internal server error"),
  UNAVAILABLE(503, "api_error", "Service temporarily unavailable"),
  TIMEOUT(504, "timeout_error", "Request timed out"),
  OVERLOADED(529, "overloaded_error", "Overloaded");

  final int status;
  final String type;
  final String message;

  ErrorType(int status, String type, String message) {
    this.status = status;
    this.type = type;
    this.message = message;
  }

  /** The API's error for this status; other 4xx are invalid requests, other 5xx internal errors. */
  static ErrorType ofStatus(int status) {
    for (ErrorType each : values()) {
      if (each.status == status) {
        return each;
      }
    }
    return status < 500 ? INVALID_REQUEST : API;
  }

  /** The API's error of this name; unknown names are internal errors. */
  static ErrorType ofType(String type) {
    for (ErrorType each : values()) {
      if (each.type.equals(type)) {
        return each;
      }
    }
    return API;
  }

  static String json(
      String type, String message, @org.jspecify.annotations.Nullable String code, String request) {
    String details = code == null ? "null" : "{\"error_code\":" + Json.quote(code) + "}";
    return "{\"type\":\"error\",\"error\":{\"details\":"
        + details
        + ",\"type\":"
        + Json.quote(type)
        + ",\"message\":"
        + Json.quote(message)
        + "},\"request_id\":"
        + Json.quote(request)
        + "}";
  }
}
