/** The servers that are compared, each a process of its own, and what they use of the machine. */
@NullMarked
package dev.headrace.bench.servers;

import org.jspecify.annotations.NullMarked;
