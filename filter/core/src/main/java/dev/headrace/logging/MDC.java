package dev.headrace.logging;

import java.util.Map;

/**
 * The context of log lines, of which there is none: a class of Resilience4j that the gateway does
 * not use asks for it.
 */
public final class MDC {

  private MDC() {}

  /** Nothing. */
  public static @Nullable Map<String, String> getCopyOfContextMap() {
    return null;
  }

  /** Changes nothing. */
  public static void setContextMap(@Nullable Map<String, String> context) {}

  /** Changes nothing. */
  public static void clear() {}
}
