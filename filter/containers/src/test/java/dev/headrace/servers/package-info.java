/**
 * Real servers as processes: unpacked distributions, started with a base directory of their own on
 * a free port of 127.0.0.1. Start at {@link dev.headrace.servers.ServerProcess}. Knows nothing of
 * Headrace: what is deployed is whatever WAR a test brings.
 */
@NullMarked
package dev.headrace.servers;

import org.jspecify.annotations.NullMarked;
