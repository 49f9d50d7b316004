/** Tests of the settings. */
@NullMarked
package dev.headrace.config;

import org.jspecify.annotations.NullMarked;
