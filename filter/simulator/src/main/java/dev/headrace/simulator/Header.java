package dev.headrace.simulator;

/** One header line of a response. */
record Header(String name, String value) {}
