/**
 * Embedded Jetty with the gateway under {@code /claude} and a chat page. Start reading at {@link
 * dev.headrace.demo.DemoMain}. The page itself is plain files under {@code resources}, and knows of
 * this code only {@code /demo/config.json}.
 */
@NullMarked
package dev.headrace.demo;

import org.jspecify.annotations.NullMarked;
