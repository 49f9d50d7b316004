package dev.headrace.upstream;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Status and header fields of an upstream response, as they came. Immutable.
 *
 * @param status 200 or above; some middle boxes send 600 to 999
 * @param headers all fields in order; those that are no valid header fields have been left out
 */
public record UpstreamResponseHead(int status, List<HeaderField> headers) {

  public UpstreamResponseHead {
    headers = List.copyOf(headers);
  }

  /** Whether the status says that this is no answer: all but 2xx. */
  public boolean isError() {
    return status < 200 || status > 299;
  }

  /** The value of the first field with this name, or null. */
  public @Nullable String header(String name) {
    for (HeaderField field : headers) {
      if (field.is(name)) {
        return field.value();
      }
    }
    return null;
  }

  /** Tells whether the body is an event stream by its media type; parameters do not matter. */
  public boolean isEventStream() {
    String type = header("content-type");
    if (type == null) {
      return false;
    }
    int semicolon = type.indexOf(';');
    String mediaType = semicolon < 0 ? type : type.substring(0, semicolon);
    return mediaType.trim().toLowerCase(Locale.ROOT).equals("text/event-stream");
  }

  /** Tells whether the body's bytes are what the media type says, not compressed ones. */
  public boolean isPlain() {
    String encoding = header("content-encoding");
    return encoding == null || encoding.isBlank() || encoding.trim().equalsIgnoreCase("identity");
  }
}
