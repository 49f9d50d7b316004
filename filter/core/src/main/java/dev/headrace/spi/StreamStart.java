package dev.headrace.spi;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Whose answer it is. Immutable.
 *
 * @param exchangeId the gateway's id of the exchange
 * @param startedAt when the request was received
 * @param user who asked; null when nobody was identified
 * @param preset the preset that was asked; null for none
 * @param modelAsked the model of the request; null when it could not be read
 */
public record StreamStart(
    String exchangeId,
    Instant startedAt,
    @Nullable String user,
    @Nullable String preset,
    @Nullable String modelAsked) {}
