/**
 * The gateway's public face. Start at {@link dev.headrace.Gateway}, the running gateway; {@link
 * dev.headrace.GatewayServlet} and {@link dev.headrace.GatewayFilter} put it into an application,
 * and {@link dev.headrace.GatewayInitializer} does so by itself where there is a {@code
 * headrace.yaml}. Settings are in {@link dev.headrace.config}; all other packages are internal and
 * may change in any release.
 */
@NullMarked
package dev.headrace;

import org.jspecify.annotations.NullMarked;
