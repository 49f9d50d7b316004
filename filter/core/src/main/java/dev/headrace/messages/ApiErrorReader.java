package dev.headrace.messages;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * One lenient pass over one error; see {@link ApiError#fromEventData}. Not thread-safe: one
 * instance per error.
 */
final class ApiErrorReader {
  private @Nullable String outerType;
  private @Nullable String type;
  private @Nullable String message;
  private @Nullable String requestId;
  private @Nullable String errorCode;

  @Nullable ApiError read(byte[] data, int offset, int length) {
    try (JsonParser parser = JsonInput.answer(data, offset, length)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        readOuter(parser);
      }
    } catch (JacksonException e) {
      // Cut off or no JSON: what was read until here decides.
    }
    if (type == null || (outerType != null && !outerType.equals("error"))) {
      return null;
    }
    return new ApiError(ApiError.statusOf(type), type, message == null ? "" : message, requestId);
  }

  /** The {@code details.error_code} of the error just read, or null. */
  @Nullable String errorCode() {
    return errorCode;
  }

  private void readOuter(JsonParser parser) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("error") && value == JsonToken.START_OBJECT) {
        readError(parser);
      } else if (name.equals("type") && value == JsonToken.VALUE_STRING) {
        outerType = parser.getString();
      } else if (name.equals("request_id") && value == JsonToken.VALUE_STRING) {
        requestId = parser.getString();
      } else {
        parser.skipChildren();
      }
    }
  }

  private void readError(JsonParser parser) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("type") && value == JsonToken.VALUE_STRING) {
        type = parser.getString();
      } else if (name.equals("message") && value == JsonToken.VALUE_STRING) {
        message = parser.getString();
      } else if (name.equals("details") && value == JsonToken.START_OBJECT) {
        readDetails(parser);
      } else {
        parser.skipChildren();
      }
    }
  }

  private void readDetails(JsonParser parser) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("error_code") && value == JsonToken.VALUE_STRING) {
        errorCode = parser.getString();
      } else {
        parser.skipChildren();
      }
    }
  }
}
