/**
 * What an application can give to the gateway: a {@link dev.headrace.spi.UsageSink} that keeps
 * usage records, a {@link dev.headrace.spi.StreamListener} that reads along, a {@link
 * dev.headrace.spi.UserResolver} that tells who is calling. Public: a promise to users. Nothing
 * here knows any other package of ours or any library, with one exception: {@code UserResolver} is
 * given the servlet request, because all that a caller can be known by is in there.
 */
@NullMarked
package dev.headrace.spi;

import org.jspecify.annotations.NullMarked;
