/**
 * What an operator sees of the gateway: the exchange log line. Internal: may change in any release.
 *
 * <p>Start at {@link ExchangeLog}.
 */
@NullMarked
package dev.headrace.observe;

import org.jspecify.annotations.NullMarked;
