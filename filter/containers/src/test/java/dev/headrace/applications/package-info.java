/**
 * Whole applications with the gateway in them, each in a process of its own, so that nothing is
 * seen but what an application and its container bring along.
 */
@NullMarked
package dev.headrace.applications;

import org.jspecify.annotations.NullMarked;
