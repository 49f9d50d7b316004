/**
 * Tells who is calling, and whether another site's page made them call. Internal: may change in any
 * release.
 *
 * <p>Start at {@link dev.headrace.identity.Identification}: it asks the sources of the settings in
 * their order and answers with a {@link dev.headrace.identity.Caller} or a refusal. {@link
 * dev.headrace.identity.KeyFile} knows the gateway keys, {@link dev.headrace.identity.CrossSite}
 * guards those who are known by what a browser sends by itself. Everything is read from the request
 * before these calls return; nothing here keeps a request, writes an answer, or knows limits, relay
 * or upstream.
 */
@NullMarked
package dev.headrace.identity;

import org.jspecify.annotations.NullMarked;
