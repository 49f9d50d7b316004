/**
 * Attempts against the upstream API. Internal: may change in any release.
 *
 * <p>Start at {@link Attempts}: when another attempt follows and when not; {@link AttemptRun} is
 * one of them, {@link RetryPolicy} the rules, {@link UpstreamPool} what all share. {@link
 * UpstreamClient} is the small interface (start, grant, cancel) behind which the HTTP client
 * stands, {@link ApacheUpstreamClient} its implementation. Nothing here knows servlets, users or
 * limits.
 */
@NullMarked
package dev.headrace.upstream;

import org.jspecify.annotations.NullMarked;
