/**
 * Attempts against the upstream API. Internal: may change in any release.
 *
 * <p>Start at {@link UpstreamClient}, the small interface (start, grant, cancel) behind which the
 * HTTP client stands; {@link ApacheUpstreamClient} is its implementation. Nothing here knows
 * servlets, users or limits.
 */
@NullMarked
package dev.headrace.upstream;

import org.jspecify.annotations.NullMarked;
