/** The gateway's public face. */
@NullMarked
package dev.headrace;

import org.jspecify.annotations.NullMarked;
