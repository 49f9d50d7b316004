package dev.headrace.simulator;

import org.jspecify.annotations.Nullable;

/** How the simulator was built. Immutable. */
record SimulatorSettings(
    int port,
    int threads,
    boolean tls,
    boolean gzip,
    boolean padding,
    long seed,
    boolean rateLimitHeaders,
    boolean validation,
    boolean recordEventTimes,
    int rememberedRequests,
    TokenPace pace,
    long firstTokenDelayNanos,
    long pingIntervalNanos,
    long maxBodyBytes,
    @Nullable String apiKey) {}
