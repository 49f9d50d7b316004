/**
 * The gateway as a black box in real servlet containers, against the simulator. Start at {@link
 * dev.headrace.containers.GatewayUnderTest}.
 */
@NullMarked
package dev.headrace.containers;

import org.jspecify.annotations.NullMarked;
