package dev.headrace.simulator;

/**
 * One hit of a server-side web search. Immutable.
 *
 * @param title the page's title
 * @param url the page's address
 * @param citedText the sentence that an answer may cite
 */
public record SearchResult(String title, String url, String citedText) {}
