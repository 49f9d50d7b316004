/**
 * One exchange from the client's request to the last byte of its answer. Internal: may change in
 * any release.
 *
 * <p>Start at {@link Exchange}, the state machine; {@link AsyncClientStream} writes to the client,
 * {@link BlockingClientStream} where that is not possible, {@link Clocks} decides about time,
 * {@link Exchanges} looks at all that run.
 */
@NullMarked
package dev.headrace.relay;

import org.jspecify.annotations.NullMarked;
