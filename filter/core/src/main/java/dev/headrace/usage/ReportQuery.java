package dev.headrace.usage;

import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a usage report is asked to show. Immutable.
 *
 * @param from first day, in UTC
 * @param to last day, in UTC; not before {@code from}
 * @param by what the sums are taken by, at least one, none twice
 * @param format how the report is written
 */
public record ReportQuery(LocalDate from, LocalDate to, List<Key> by, Format format) {

  /** What sums can be taken by. */
  public enum Key {
    /** The day in UTC on which the request was received. */
    DAY,
    /** Who asked. */
    USER,
    /** The role that chose the plan. */
    ROLE,
    /** The model that has answered; the one asked for where no answer began. */
    MODEL,
    /** The preset. */
    PRESET;

    /** As in the query and in the column's head. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** How the report is written. */
  public enum Format {
    /** An object with rows. */
    JSON,
    /** Comma-separated values with a head (RFC 4180). */
    CSV
  }

  private static final Set<String> PARAMETERS = Set.of("from", "to", "by", "format");

  /** Copies the list. */
  public ReportQuery {
    by = List.copyOf(by);
  }

  /**
   * Reads the parameters of a request. Without any, it is the current month by day and model, as
   * JSON.
   *
   * @throws IllegalArgumentException with a message for the client, which says what was expected
   */
  public static ReportQuery parse(Map<String, String> parameters, Clock clock) {
    for (String name : new TreeSet<>(parameters.keySet())) {
      if (!PARAMETERS.contains(name)) {
        throw new IllegalArgumentException(
            "There is a parameter that the report does not know (expected: from, to, by, format).");
      }
    }
    LocalDate today = LocalDate.now(clock.withZone(ZoneOffset.UTC));
    String fromText = parameters.get("from");
    String toText = parameters.get("to");
    LocalDate from;
    LocalDate to;
    if (fromText != null) {
      from = day("from", fromText);
      to = toText != null ? day("to", toText) : (from.isAfter(today) ? from : today);
    } else {
      to = toText != null ? day("to", toText) : today;
      from = to.withDayOfMonth(1);
    }
    if (to.isBefore(from)) {
      throw new IllegalArgumentException("The day \"to\" is before \"from\" (expected: after it).");
    }
    return new ReportQuery(from, to, keys(parameters.get("by")), format(parameters.get("format")));
  }

  private static LocalDate day(String name, String text) {
    try {
      if (text.length() == 10) { // no year of five digits, which not every database can store
        return LocalDate.parse(text);
      }
    } catch (DateTimeParseException e) {
      // Said below.
    }
    throw new IllegalArgumentException(
        "The parameter \"" + name + "\" is no day (expected: such as 2026-11-30, in UTC).");
  }

  private static List<Key> keys(@Nullable String text) {
    if (text == null) {
      return List.of(Key.DAY, Key.MODEL);
    }
    List<Key> keys = new ArrayList<>();
    for (String word : text.split(",", -1)) {
      Key found = null;
      for (Key key : Key.values()) {
        if (key.word().equals(word.strip())) {
          found = key;
        }
      }
      if (found == null || keys.contains(found)) {
        throw new IllegalArgumentException(
            "The parameter \"by\" cannot be used (expected: some of day, user, role, model,"
                + " preset, each once, with commas between them).");
      }
      keys.add(found);
    }
    return keys;
  }

  private static Format format(@Nullable String text) {
    if (text == null || text.equals("json")) {
      return Format.JSON;
    }
    if (text.equals("csv")) {
      return Format.CSV;
    }
    throw new IllegalArgumentException(
        "The parameter \"format\" cannot be used (expected: json or csv).");
  }
}
