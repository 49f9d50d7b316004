@NullMarked
package dev.headrace.admission;

import org.jspecify.annotations.NullMarked;
