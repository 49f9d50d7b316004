package dev.headrace.usage;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.core.util.JsonRecyclerPools;

/**
 * Sums of the usage records in the database. Immutable. A record of a dropped attempt adds to the
 * tokens and the cost, but is no request of its own.
 */
public final class UsageReport {

  /** Most rows of one report. */
  static final int MAX_ROWS = 10_000;

  static final int QUERY_SECONDS = 30;

  /** Without this day. MariaDB knows no year 10000, and would find nothing before it. */
  private static final LocalDate LATEST_END = LocalDate.of(9999, 12, 31);

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .recyclerPool(JsonRecyclerPools.newBoundedPool(4))
          .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
          .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
          .build();

  /** Sums of columns of that name. */
  private static final List<String> SUMS =
      List.of(
          "input_tokens",
          "output_tokens",
          "cache_read_tokens",
          "cache_write_5m_tokens",
          "cache_write_1h_tokens",
          "thinking_tokens",
          "web_searches",
          "web_fetches");

  private static final List<String> COUNTS =
      List.of("requests_without_price", "requests_estimated", "requests_unknown");

  private final ReportQuery query;
  private final List<Row> rows;
  private final boolean truncated;

  private record Row(
      List<@Nullable String> keys,
      long requests,
      List<BigDecimal> sums,
      @Nullable BigDecimal cost,
      List<Long> counts) {}

  private UsageReport(ReportQuery query, List<Row> rows, boolean truncated) {
    this.query = query;
    this.rows = rows;
    this.truncated = truncated;
  }

  // ---- from the database ----

  static UsageReport read(Connection connection, Dialect dialect, ReportQuery query, int maxRows)
      throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(sql(dialect, query, maxRows))) {
      select.setQueryTimeout(QUERY_SECONDS);
      dialect.setTime(select, 1, query.from().atStartOfDay(ZoneOffset.UTC).toInstant());
      dialect.setTime(select, 2, end(query));
      List<Row> rows = new ArrayList<>();
      try (ResultSet found = select.executeQuery()) {
        while (found.next()) {
          rows.add(row(found, query.by().size()));
        }
      }
      boolean truncated = rows.size() > maxRows;
      return new UsageReport(
          query, truncated ? List.copyOf(rows.subList(0, maxRows)) : rows, truncated);
    }
  }

  private static Instant end(ReportQuery query) {
    LocalDate end = query.to().isBefore(LATEST_END) ? query.to().plusDays(1) : LATEST_END;
    return end.atStartOfDay(ZoneOffset.UTC).toInstant();
  }

  private static String sql(Dialect dialect, ReportQuery query, int maxRows) {
    String keys =
        query.by().stream().map(key -> column(dialect, key)).collect(Collectors.joining(", "));
    String sums = SUMS.stream().map(each -> "SUM(" + each + ")").collect(Collectors.joining(", "));
    return "SELECT "
        + keys
        + ", COUNT(CASE WHEN kind = 'EXCHANGE' THEN 1 END), "
        + sums
        + ", SUM(cost_usd)"
        + ", COUNT(DISTINCT CASE WHEN cost_usd IS NULL THEN exchange_id END)"
        + ", COUNT(DISTINCT CASE WHEN accuracy = 'ESTIMATED' THEN exchange_id END)"
        + ", COUNT(DISTINCT CASE WHEN accuracy = 'UNKNOWN' THEN exchange_id END)"
        + " FROM headrace_usage WHERE started_at >= ? AND started_at < ? GROUP BY "
        + keys
        + " ORDER BY "
        + keys
        + " LIMIT "
        + (maxRows + 1);
  }

  private static String column(Dialect dialect, ReportQuery.Key key) {
    return switch (key) {
      case DAY -> dialect.day();
      case USER -> "user_name";
      case ROLE -> "user_role";
      case MODEL -> "COALESCE(model_served, model_asked)";
      case PRESET -> "preset";
    };
  }

  private static Row row(ResultSet found, int keyCount) throws SQLException {
    int i = 0;
    List<@Nullable String> keys = new ArrayList<>();
    while (i < keyCount) {
      keys.add(found.getString(++i));
    }
    long requests = found.getLong(++i);
    List<BigDecimal> sums = new ArrayList<>();
    for (int n = 0; n < SUMS.size(); n++) {
      sums.add(found.getBigDecimal(++i));
    }
    BigDecimal cost = found.getBigDecimal(++i);
    List<Long> counts = new ArrayList<>();
    for (int n = 0; n < COUNTS.size(); n++) {
      counts.add(found.getLong(++i));
    }
    return new Row(keys, requests, sums, cost == null ? null : plain(cost), counts);
  }

  /** Without the zeros that the column's scale adds. */
  private static BigDecimal plain(BigDecimal cost) {
    BigDecimal stripped = cost.stripTrailingZeros();
    return stripped.scale() < 0 ? stripped.setScale(0) : stripped;
  }

  // ---- to the client ----

  /** Whether there are more rows than a report shows. */
  public boolean isTruncated() {
    return truncated;
  }

  /** The report in the format that was asked for. */
  public byte[] bytes() {
    return query.format() == ReportQuery.Format.CSV ? csv() : json();
  }

  /** The type of {@link #bytes}. */
  public String contentType() {
    return query.format() == ReportQuery.Format.CSV ? "text/csv;charset=UTF-8" : "application/json";
  }

  private byte[] json() {
    ByteArrayOutputStream out = new ByteArrayOutputStream(256 + 400 * rows.size());
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), out)) {
      json.writeStartObject();
      json.writeStringProperty("from", query.from().toString());
      json.writeStringProperty("to", query.to().toString());
      json.writeArrayPropertyStart("by");
      query.by().forEach(key -> json.writeString(key.word()));
      json.writeEndArray();
      json.writeArrayPropertyStart("rows");
      rows.forEach(row -> write(json, row));
      json.writeEndArray();
      json.writeBooleanProperty("truncated", truncated);
      if (truncated) {
        json.writeStringProperty("note", note());
      }
      json.writeEndObject();
    }
    return out.toByteArray();
  }

  private String note() {
    return "There are more than " + rows.size() + " rows; ask for fewer days or by less.";
  }

  private void write(JsonGenerator json, Row row) {
    json.writeStartObject();
    for (int i = 0; i < row.keys.size(); i++) {
      json.writeName(query.by().get(i).word());
      String key = row.keys.get(i);
      if (key == null) {
        json.writeNull();
      } else {
        json.writeString(key);
      }
    }
    json.writeNumberProperty("requests", row.requests);
    for (int i = 0; i < SUMS.size(); i++) {
      json.writeName(SUMS.get(i));
      json.writeNumber(row.sums.get(i));
    }
    json.writeName("cost_usd");
    if (row.cost == null) {
      json.writeNull();
    } else {
      json.writeNumber(row.cost);
    }
    for (int i = 0; i < COUNTS.size(); i++) {
      json.writeNumberProperty(COUNTS.get(i), row.counts.get(i));
    }
    json.writeEndObject();
  }

  private byte[] csv() {
    StringBuilder csv = new StringBuilder(200 + 150 * rows.size());
    List<String> head = new ArrayList<>();
    query.by().forEach(key -> head.add(key.word()));
    head.add("requests");
    head.addAll(SUMS);
    head.add("cost_usd");
    head.addAll(COUNTS);
    csv.append(String.join(",", head)).append("\r\n");
    for (Row row : rows) {
      row.keys.forEach(key -> csv.append(field(key)).append(','));
      csv.append(row.requests);
      row.sums.forEach(sum -> csv.append(',').append(sum.toPlainString()));
      csv.append(',').append(row.cost == null ? "" : row.cost.toPlainString());
      row.counts.forEach(count -> csv.append(',').append(count));
      csv.append("\r\n");
    }
    return csv.toString().getBytes(UTF_8);
  }

  /**
   * A text as a field (RFC 4180, 2). One that a spreadsheet would take for a formula gets an
   * apostrophe before it, and quotes keep one together that it would divide elsewhere.
   */
  static String field(@Nullable String text) {
    if (text == null) {
      return "";
    }
    String harmless =
        !text.isEmpty() && "=+-@\t\r\n".indexOf(text.charAt(0)) >= 0 ? "'" + text : text;
    boolean plain = harmless.chars().noneMatch(c -> ",;\t\"\r\n".indexOf(c) >= 0);
    return plain ? harmless : '"' + harmless.replace("\"", "\"\"") + '"';
  }
}
