/** HTTP-Proxy-Servlet on Tomcat, as the benchmark starts it: own port, port of the upstream. */
@NullMarked
package dev.headrace.bench.peers;

import org.jspecify.annotations.NullMarked;
