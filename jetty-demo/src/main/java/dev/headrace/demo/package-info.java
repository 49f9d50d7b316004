/** Embedded Jetty with the gateway and a chat page. */
@NullMarked
package dev.headrace.demo;

import org.jspecify.annotations.NullMarked;
