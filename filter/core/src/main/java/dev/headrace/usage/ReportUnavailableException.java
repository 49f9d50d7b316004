package dev.headrace.usage;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** There is no usage report now; perhaps there is one later. The message is for the client. */
public final class ReportUnavailableException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  ReportUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
