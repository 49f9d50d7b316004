package dev.headrace.chain;

import java.util.Locale;

/**
 * One filter of the application, as its registration, descriptors and class show it.
 *
 * @param name of its registration
 * @param className of the filter; empty if the container does not tell
 * @param async whether it lets requests become asynchronous
 * @param source where the registration stands, and so where it is changed
 * @param effect what its class seems to do with answers
 */
record FilterInFront(
    String name, String className, Async async, Source source, FilterCode.Effect effect) {

  /** Whether a filter lets requests become asynchronous. */
  enum Async {
    SUPPORTED,
    NOT_SUPPORTED,
    /** Registered by code: the Servlet API does not say. */
    UNKNOWN
  }

  /** Where a registration stands. */
  enum Source {
    DESCRIPTOR,
    ANNOTATION,
    CODE
  }

  /** The filter as a line of the log names it. */
  String title() {
    return className.isEmpty() || className.equals(name) ? name : name + " (" + className + ")";
  }

  /** Whether something about it has to be changed for streams to pass as they should. */
  boolean needsChange() {
    return async == Async.NOT_SUPPORTED
        || effect == FilterCode.Effect.COMPRESSES
        || effect == FilterCode.Effect.BUFFERS;
  }

  /** What makes it let requests become asynchronous, to be pasted. */
  String asyncRemedy() {
    return switch (source) {
      case DESCRIPTOR ->
          String.format(
              Locale.ROOT,
              "<filter><filter-name>%s</filter-name><filter-class>%s</filter-class>"
                  + "<async-supported>true</async-supported></filter>",
              name,
              className);
      case ANNOTATION -> "@WebFilter(asyncSupported = true, …) at " + className;
      case CODE -> "setAsyncSupported(true) where the code registers " + name;
    };
  }
}
