package dev.headrace.simulator;

/**
 * One thing that a person can provoke in the chat by typing it. Immutable.
 *
 * @param command what to type, such as {@code /fault overloaded}
 * @param argument what may follow, such as {@code [seconds]}; empty when nothing may
 * @param description what then happens, for a person
 */
public record ChatFault(String command, String argument, String description) {}
