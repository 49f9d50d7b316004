/**
 * Decides whether an exchange may run, with which body: answers with a permit, a body for the
 * upstream or a refusal. Internal: may change in any release.
 *
 * <p>Start at {@link StreamLimit} for how much runs together, at {@link RequestPolicy} for what may
 * be asked, and at {@link PresetBodies} for server-side recipes. Knows settings and messages, but
 * neither servlets nor the upstream client.
 */
@NullMarked
package dev.headrace.admission;

import org.jspecify.annotations.NullMarked;
