/**
 * What an application can give to the gateway: a {@link dev.headrace.spi.UsageSink} that keeps
 * usage records, a {@link dev.headrace.spi.StreamListener} that reads along. Public: a promise to
 * users. Nothing here knows any other package of ours or any library.
 */
@NullMarked
package dev.headrace.spi;

import org.jspecify.annotations.NullMarked;
