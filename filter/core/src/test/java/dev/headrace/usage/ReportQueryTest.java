package dev.headrace.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReportQueryTest {

  private static final Clock NOW =
      Clock.fixed(Instant.parse("2026-11-23T23:30:00Z"), ZoneOffset.ofHours(5));

  private static ReportQuery parse(Map<String, String> parameters) {
    return ReportQuery.parse(parameters, NOW);
  }

  @Test
  void withoutParametersItIsTheCurrentMonthInUtcByDayAndModel() {
    ReportQuery query = parse(Map.of());
    assertThat(query.from()).isEqualTo(LocalDate.parse("2026-11-01"));
    assertThat(query.to()).isEqualTo(LocalDate.parse("2026-11-23"));
    assertThat(query.by()).containsExactly(ReportQuery.Key.DAY, ReportQuery.Key.MODEL);
    assertThat(query.format()).isEqualTo(ReportQuery.Format.JSON);
  }

  @Test
  void everyParameterIsTaken() {
    ReportQuery query =
        parse(
            Map.of(
                "from",
                "2026-10-01",
                "to",
                "2026-10-31",
                "by",
                "user,preset,role",
                "format",
                "csv"));
    assertThat(query.from()).isEqualTo(LocalDate.parse("2026-10-01"));
    assertThat(query.to()).isEqualTo(LocalDate.parse("2026-10-31"));
    assertThat(query.by())
        .containsExactly(ReportQuery.Key.USER, ReportQuery.Key.PRESET, ReportQuery.Key.ROLE);
    assertThat(query.format()).isEqualTo(ReportQuery.Format.CSV);
  }

  @Test
  void oneOfTheDaysIsEnough() {
    assertThat(parse(Map.of("from", "2026-09-15")).to()).isEqualTo(LocalDate.parse("2026-11-23"));
    assertThat(parse(Map.of("to", "2026-09-15")).from()).isEqualTo(LocalDate.parse("2026-09-01"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          from   | 2026-11-31 | is no day (expected: such as 2026-11-30, in UTC).
          from   | +20260-1-1 | is no day
          to     | yesterday  | is no day
          to     | ''         | is no day
          by     | user,,day  | (expected: some of day, user, role, model, preset, each once
          by     | day,day    | each once
          by     | ''         | each once
          by     | cost       | each once
          format | xml        | (expected: json or csv)
          limit  | 5          | (expected: from, to, by, format)
          """)
  void wrongParameterIsAnErrorThatSaysWhatWasExpected(String name, String value, String expected) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> parse(Map.of(name, value)))
        .withMessageContaining(expected);
  }

  @Test
  void lastDayMustNotBeBeforeTheFirst() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> parse(Map.of("from", "2026-11-02", "to", "2026-11-01")))
        .withMessageContaining("before \"from\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          plain        | plain
          =1+1         | '=1+1
          +1           | '+1
          -1           | '-1
          @x           | '@x
          a=b          | a=b
          a,b          | "a,b"
          x;=1+1       | "x;=1+1"
          say "hi"     | "say ""hi"\""
          ="x"         | "'=""x"\""
          """)
  void fieldIsQuotedAndHarmlessForSpreadsheets(String text, String field) {
    assertThat(UsageReport.field(text)).isEqualTo(field);
  }

  @Test
  void fieldsWithLineBreaksAndMissingOnes() {
    assertThat(UsageReport.field(null)).isEmpty();
    assertThat(UsageReport.field("")).isEmpty();
    assertThat(UsageReport.field("a\nb")).isEqualTo("\"a\nb\"");
    assertThat(UsageReport.field("\t=1")).isEqualTo("\"'\t=1\"");
  }
}
