/**
 * A faithful, fault-injecting Claude on loopback, for tests, demos and benchmarks.
 *
 * <p>Start at {@link dev.headrace.simulator.ClaudeSimulator} and {@link
 * dev.headrace.simulator.Answer}. The way of an answer: an {@code Answer} is a value; {@code
 * PlanBuilder} turns it, for one request, into steps (send an event, wait, stall, end); {@code
 * Exchange} carries the steps out on the connection's event loop. Only {@code SimulatorServer},
 * {@code ConnectionHandler} and {@code Exchange} know Netty.
 */
@NullMarked
package dev.headrace.simulator;

import org.jspecify.annotations.NullMarked;
