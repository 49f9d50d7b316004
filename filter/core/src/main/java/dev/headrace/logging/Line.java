package dev.headrace.logging;

/**
 * A line of the log.
 *
 * @param text with the arguments in it
 * @param failure the exception behind the arguments that the text names; null if there is none
 */
record Line(String text, @Nullable Throwable failure) {

  /**
   * Puts arguments in place of braces, as SLF4J does: an exception as the last argument is the
   * failure and no argument, braces without an argument stay, arguments without braces are left
   * out.
   */
  static Line of(@Nullable String format, @Nullable Object... arguments) {
    Throwable failure =
        arguments.length > 0 && arguments[arguments.length - 1] instanceof Throwable last
            ? last
            : null;
    int count = failure == null ? arguments.length : arguments.length - 1;
    String from = String.valueOf(format);
    StringBuilder text = new StringBuilder(from.length() + 16 * count);
    int done = 0;
    int used = 0;
    while (used < count) {
      int braces = from.indexOf("{}", done);
      if (braces < 0) {
        break;
      }
      if (braces > 0 && from.charAt(braces - 1) == '\\') { // \{} is written as {}
        text.append(from, done, braces - 1).append("{}");
      } else {
        text.append(from, done, braces).append(describe(arguments[used++]));
      }
      done = braces + 2;
    }
    return new Line(text.append(from, done, from.length()).toString(), failure);
  }

  private static String describe(@Nullable Object argument) {
    try {
      return String.valueOf(argument);
    } catch (RuntimeException e) {
      return "[" + e.getClass().getName() + " in toString()]"; // a log line must not end a stream
    }
  }
}
