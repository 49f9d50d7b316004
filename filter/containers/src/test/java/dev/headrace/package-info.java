/** What tests need of the gateway that is no public API. */
@NullMarked
package dev.headrace;

import org.jspecify.annotations.NullMarked;
