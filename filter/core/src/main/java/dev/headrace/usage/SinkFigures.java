package dev.headrace.usage;

/**
 * What one sink has done since the start. Immutable.
 *
 * @param sink its name
 * @param kept records that it took
 * @param waiting records that wait for it, in memory and in the spool
 * @param spooledBytes bytes in the spool that it has not taken yet
 * @param dropped records that it will never see, because there was no more room
 */
public record SinkFigures(String sink, long kept, long waiting, long spooledBytes, long dropped) {}
