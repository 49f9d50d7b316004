package dev.headrace.messages;

/**
 * A request body that is not one JSON object as the gateway needs it, or a file of the operator
 * that cannot become part of one. The message says what was wrong, where and what was expected; of
 * the body it quotes at most a field name, shortened and in printable ASCII. It carries nothing
 * else: no cause, because a parser's text quotes content, and no stack trace, because a refusal is
 * expected.
 */
public final class InvalidBodyException extends Exception {
  private static final long serialVersionUID = 1L;

  InvalidBodyException(String message) {
    super(message, null, false, false);
  }
}
