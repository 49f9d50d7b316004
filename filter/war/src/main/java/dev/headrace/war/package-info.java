/**
 * The gateway as a web application of its own. Start reading at {@link
 * dev.headrace.war.WarServlet}, which answers everything: the gateway's paths by {@link
 * dev.headrace.Gateway}, and besides them a status page and the metrics. {@link
 * dev.headrace.war.WarMain} is the command of {@code java -jar headrace.war} and knows nothing of
 * the rest.
 */
@NullMarked
package dev.headrace.war;

import org.jspecify.annotations.NullMarked;
