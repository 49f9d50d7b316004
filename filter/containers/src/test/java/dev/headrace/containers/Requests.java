package dev.headrace.containers;

/** Bodies of Messages requests. */
public final class Requests {

  private Requests() {}

  /** Asks for a stream. */
  public static String streaming(String prompt) {
    return message(prompt, true);
  }

  /** Asks for one JSON answer. */
  public static String whole(String prompt) {
    return message(prompt, false);
  }

  private static String message(String prompt, boolean stream) {
    return "{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":100,\"stream\":"
        + stream
        + ",\"messages\":[{\"role\":\"user\",\"content\":\""
        + prompt
        + "\"}]}";
  }
}
