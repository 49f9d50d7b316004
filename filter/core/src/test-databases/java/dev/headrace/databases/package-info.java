/**
 * Real database servers for tests, started from Debian's packages. Compiled into the tests of core
 * and of containers.
 */
package dev.headrace.databases;
