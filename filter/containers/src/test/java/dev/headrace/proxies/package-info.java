/**
 * The gateway behind real reverse proxies, with the snippets of {@code config/proxies} as they are.
 * Start at {@link dev.headrace.proxies.ProxyServer}.
 */
@NullMarked
package dev.headrace.proxies;

import org.jspecify.annotations.NullMarked;
