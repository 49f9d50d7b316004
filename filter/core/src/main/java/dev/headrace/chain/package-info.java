/**
 * What stands between the gateway and its client inside the application: the filters in front, and
 * the response wrappers that they put around the container's own response. Internal: may change in
 * any release.
 *
 * <p>Start at {@link FiltersInFront}, which looks when the application starts; {@link Wrappers}
 * looks again while answers are written. Nothing here knows what the gateway answers, and nothing
 * here may keep it from starting or answering.
 */
@NullMarked
package dev.headrace.chain;

import org.jspecify.annotations.NullMarked;
