package dev.headrace.spi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A complete message, put together from its stream: what a call without {@code "stream": true}
 * would have returned. Immutable.
 *
 * @param json the message object as JSON text
 * @param id the API's id of the message; null when it had none
 * @param model the model that has answered; null when not told
 * @param text the texts of all {@code text} blocks, one behind the other
 * @param stopReason such as {@code end_turn} or {@code tool_use}; null when not told
 * @param usage tokens by class, final
 * @param invalidToolInputs the tool inputs that were no valid JSON: in {@code json} they are {@code
 *     {}}
 */
public record FinishedMessage(
    String json,
    @Nullable String id,
    @Nullable String model,
    String text,
    @Nullable String stopReason,
    Tokens usage,
    List<InvalidToolInput> invalidToolInputs,
    boolean delivered) {

  /** Copies the list. */
  public FinishedMessage {
    invalidToolInputs = List.copyOf(invalidToolInputs);
  }

  /**
   * The input of a tool call that was cut or malformed.
   *
   * @param index the block's index
   * @param raw the text as it came
   */
  public record InvalidToolInput(int index, String raw) {}
}
