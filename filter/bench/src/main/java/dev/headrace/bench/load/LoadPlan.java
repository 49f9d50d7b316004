package dev.headrace.bench.load;

import dev.headrace.bench.upstream.Ask;
import java.time.Duration;

/**
 * What the load generator does. Immutable.
 *
 * @param streams connections, each with one stream at a time
 * @param ask what each stream asks for
 * @param repeats whether a connection begins its next stream when one has ended
 * @param neverReading further connections that ask for much and read nothing
 * @param openPerSecond connections opened a second
 * @param settle from the moment when each stream has its first event to the measurement
 * @param measure how long is measured
 */
public record LoadPlan(
    int streams,
    Ask ask,
    boolean repeats,
    int neverReading,
    int openPerSecond,
    Duration settle,
    Duration measure) {}
