/**
 * What the gateway must know of the Messages API: head fields of a request, event names, errors,
 * usage, and how events add up to a message. Internal: may change in any release.
 *
 * <p>Start at {@link RequestHead} and {@link RequestOutline} for the way in, and {@link
 * MessageEvent}, {@link ApiError}, {@link UsageView} and {@link MessageAssembler} for the way out.
 * Nothing here knows servlets or the HTTP client, and nothing changes bytes: what is read here is
 * forwarded as it came.
 */
@NullMarked
package dev.headrace.messages;

import org.jspecify.annotations.NullMarked;
