/** Tests of the simulator, with the official SDK, java.net.http and raw sockets as clients. */
@NullMarked
package dev.headrace.simulator;

import org.jspecify.annotations.NullMarked;
