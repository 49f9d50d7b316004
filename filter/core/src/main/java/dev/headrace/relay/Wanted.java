package dev.headrace.relay;

import dev.headrace.admission.PresetBodies;
import dev.headrace.messages.ApiError;
import dev.headrace.output.Format;
import dev.headrace.output.SimpleTranslation.Thinking;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The form in which a client wants the answer: by {@code ?format=}, else by {@code Accept:
 * text/plain}. Immutable.
 *
 * @param format of a stream
 * @param thinking whether thinking is to be shown too, where the format can do without
 * @param byName whether the query names the format, so that it cannot be overlooked
 * @param cutsShow whether an answer that breaks off differs from a whole one: HTTP/1.0 ends both
 *     with the connection
 */
record Wanted(Format format, Thinking thinking, boolean byName, boolean cutsShow) {

  /** The API's own events. */
  static final Wanted EVENTS = new Wanted(Format.EVENTS, Thinking.HIDDEN, false, true);

  /** Says what is wrong with a wish. */
  static final class UnknownException extends Exception {
    private static final long serialVersionUID = 1L;

    UnknownException(String message) {
      super(message, null, false, false);
    }
  }

  /**
   * Reads what a request says.
   *
   * @throws UnknownException if the query names a format that does not exist; the message is for
   *     the client
   */
  static Wanted by(HttpServletRequest request) throws UnknownException {
    String named = null;
    Thinking thinking = Thinking.HIDDEN;
    boolean cutsShow = !request.getProtocol().equals("HTTP/1.0");
    String query = request.getQueryString(); // getParameter would read a form body
    if (query != null) {
      for (String pair : query.split("&", -1)) {
        if (pair.startsWith("format=")) {
          named = pair.substring("format=".length());
        } else if (pair.equals("thinking=true")) {
          thinking = Thinking.SHOWN;
        } else if (pair.startsWith("thinking=") && !pair.equals("thinking=false")) {
          throw new UnknownException("thinking in the query takes true or false.");
        }
      }
    }
    if (named != null) {
      Format format = Format.named(named);
      if (format == null) {
        throw new UnknownException(
            "This format does not exist: format in the query takes events, text or simple.");
      }
      return new Wanted(format, thinking, true, cutsShow);
    }
    return wantsPlainText(request.getHeader("Accept"))
        ? new Wanted(Format.TEXT, Thinking.HIDDEN, false, cutsShow)
        : new Wanted(Format.EVENTS, Thinking.HIDDEN, false, cutsShow);
  }

  /** Only when it is the first choice: {@code text/plain} stands in the lists of many clients. */
  private static boolean wantsPlainText(@Nullable String accept) {
    if (accept == null) {
      return false;
    }
    String first = accept.split("[,;]", 2)[0];
    return first.trim().toLowerCase(Locale.ROOT).equals("text/plain");
  }

  /** What a preset has chosen goes before what the client wants. */
  Wanted or(@Nullable PresetBodies preset) {
    String fixed = preset == null ? null : preset.preset().format();
    Format chosen = fixed == null ? null : Format.named(fixed);
    return chosen == null ? this : new Wanted(chosen, thinking, false, cutsShow);
  }

  /**
   * What to tell a client that names a format for an answer that is no stream, or one whose
   * breaking off it could not notice; null if all fits.
   */
  @Nullable ApiError mismatch(boolean stream) {
    if (stream && format == Format.TEXT && !cutsShow) {
      return new ApiError(
          400,
          "invalid_request_error",
          "format=text needs HTTP/1.1: over HTTP/1.0 an answer that breaks off looks like a whole"
              + " one. Behind nginx, set proxy_http_version 1.1; or ask for another format.",
          null);
    }
    if (stream || !byName || format == Format.EVENTS) {
      return null;
    }
    return new ApiError(
        400,
        "invalid_request_error",
        "format="
            + format.name().toLowerCase(Locale.ROOT)
            + " is for streams: send \"stream\": true in the body, or leave format out.",
        null);
  }
}
