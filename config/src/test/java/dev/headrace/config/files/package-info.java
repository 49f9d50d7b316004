/** Checks that the files of this folder say what the code does. */
@NullMarked
package dev.headrace.config.files;

import org.jspecify.annotations.NullMarked;
