/**
 * Decides whether an exchange may run: answers with a permit or a reservation, or not. Internal:
 * may change in any release.
 *
 * <p>Start at {@link dev.headrace.admission.StreamLimit} for the limit of the whole gateway and at
 * {@link dev.headrace.admission.LimitStore} for those of each user, which {@link
 * dev.headrace.admission.Limits} describes. Knows settings and messages, but neither servlets nor
 * the upstream client. No type of Resilience4j, Bucket4j or Caffeine leaves this package.
 */
@NullMarked
package dev.headrace.admission;

import org.jspecify.annotations.NullMarked;
