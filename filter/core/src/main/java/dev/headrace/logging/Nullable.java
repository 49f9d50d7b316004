package dev.headrace.logging;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * May be null, for the check at compile time. JSpecify's has moved in the one jar, into which the
 * classes of this package go as they are.
 */
@Target(ElementType.TYPE_USE)
@Retention(RetentionPolicy.CLASS)
@interface Nullable {}
