/** What the gateway does to every event and every request, measured without a server around it. */
@NullMarked
package dev.headrace.bench.parsers;

import org.jspecify.annotations.NullMarked;
