package dev.headrace.spi;

import org.jspecify.annotations.Nullable;

/**
 * What there was of a message when it ended too early. Immutable.
 *
 * @param json the message object as far as it came, without {@code stop_reason} and final usage
 *     unless they had come; null when no answer began or it was larger than the gateway follows
 * @param text the texts of all {@code text} blocks so far, one behind the other
 * @param outcome how the exchange ended, such as {@code CLIENT_GONE} or {@code UPSTREAM_CUT}
 * @param detail the reason in a few words; may be empty
 * @param errorType the type of the API's {@code error} event; null when there was none
 */
public record PartialMessage(
    @Nullable String json,
    String text,
    String outcome,
    String detail,
    @Nullable String errorType) {}
