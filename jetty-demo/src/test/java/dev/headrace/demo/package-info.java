@NullMarked
package dev.headrace.demo;

import org.jspecify.annotations.NullMarked;
