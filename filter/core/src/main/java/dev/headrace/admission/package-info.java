/**
 * Decides whether an exchange may run: answers with a permit or not. Internal: may change in any
 * release.
 *
 * <p>Start at {@link StreamLimit}. Knows settings and messages, but neither servlets nor the
 * upstream client.
 */
@NullMarked
package dev.headrace.admission;

import org.jspecify.annotations.NullMarked;
