/** A faithful, fault-injecting Claude on loopback. */
@NullMarked
package dev.headrace.simulator;

import org.jspecify.annotations.NullMarked;
