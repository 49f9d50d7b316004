/**
 * What an operator sees of the gateway: the exchange log line and the counters. Internal: may
 * change in any release.
 *
 * <p>Start at {@link ExchangeLog} and {@link Statistics}.
 */
@NullMarked
package dev.headrace.observe;

import org.jspecify.annotations.NullMarked;
