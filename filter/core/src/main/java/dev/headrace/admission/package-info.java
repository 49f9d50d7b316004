/**
 * Decides whether an exchange may run and with which body: a permit of the gateway, what the
 * caller's plan lets ask for, presets, and what the user's limits leave. Internal: may change in
 * any release.
 *
 * <p>Start at {@link StreamLimit} for the gateway as a whole, {@link RequestPolicy} and {@link
 * PresetBodies} for what may be asked, {@link LimitStore} for how much. Knows settings and
 * messages, but neither servlets nor the upstream client.
 */
@NullMarked
package dev.headrace.admission;

import org.jspecify.annotations.NullMarked;
