package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UsageSettingsTest {

  private static GatewaySettingsBuilder builder() {
    return GatewaySettings.builder().upstreamApiKey(Secret.of("k"));
  }

  private static void assertProblems(GatewaySettingsBuilder builder, String... problems) {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(builder::build)
        .satisfies(failure -> assertThat(failure.problems()).containsExactly(problems));
  }

  @Test
  void databaseNeedsASpool() {
    assertProblems(
        builder().usageJdbcUrl("jdbc:h2:mem:x"),
        "usage.jdbc-url is set, and usage.spool is not (expected: usage.spool, a folder in which"
            + " records wait while the database is down)");
    assertProblems(
        builder().usageDataSource("jdbc/x"),
        "usage.data-source is set, and usage.spool is not (expected: usage.spool, a folder in"
            + " which records wait while the database is down)");
  }

  @Test
  void thereIsOneDatabaseAtMost() {
    assertProblems(
        builder()
            .usageJdbcUrl("jdbc:h2:mem:x")
            .usageDataSource("jdbc/x")
            .usageSpool(Path.of("spool")),
        "usage.jdbc-url and usage.data-source are both set (expected: one of them)");
  }

  @Test
  void userPasswordAndDriverAreOfAUrl() {
    assertProblems(
        builder().usageJdbcPassword(Secret.of("secret")),
        "usage.jdbc-password is set, and usage.jdbc-url is not (expected: usage.jdbc-url, the"
            + " database that it is for)");
  }

  @Test
  void reportKeyThatIsEmptyIsCalledSo() {
    assertProblems(
        builder().usageReportKey(Secret.of("")),
        "usage.report-key: the value is empty (expected: at least 16 visible ASCII characters,"
            + " without spaces and line breaks)");
  }

  @Test
  void reportKeyIsNotTooShort() {
    assertProblems(
        builder().usageReportKey(Secret.of("short")),
        "usage.report-key: **** (expected: at least 16 visible ASCII characters, without spaces"
            + " and line breaks)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          jdbc:postgresql://h/d?user=u&password=hidden   | "jdbc:postgresql://h/d?****"
          jdbc:postgresql://h/d?user=u&password=p@hidden | "jdbc:postgresql://****"
          jdbc:h2:mem:x;PASSWORD=hidden                  | "jdbc:h2:mem:x;****"
          jdbc:mariadb://u:hidden@h/d                    | "jdbc:mariadb://****@h/d"
          jdbc:mysql://u:p@hidden@h/d?x=hidden           | "jdbc:mysql://****@h/d?****"
          jdbc:mysql://address=(host=h)(password=hidden)/d | "jdbc:mysql://address=(****"
          jdbc:mysql://(password=hidden,host=h)/d        | "jdbc:mysql://(****"
          jdbc:mysql://(host=h,password1=hidden)/d       | "jdbc:mysql://(****"
          jdbc:mysql://[(host=h,Password=p@hidden)]/d    | "jdbc:mysql://****"
          jdbc:db2://h/d:pwd=hidden                      | "jdbc:db2://h/d:pwd=****"
          """)
  void passwordInTheUrlIsRefusedAndNotShown(String url, String shown) {
    assertProblems(
        builder().usageJdbcUrl(url).usageSpool(Path.of("spool")),
        "usage.jdbc-url: "
            + shown
            + " (expected: a URL without user and password, which have settings of their own)");
  }

  @Test
  void parametersOfTheUrlAreNotPrinted() {
    assertPrinted(
        "jdbc:postgresql://h:5433/d?ssl=true&sslpassword=hidden",
        "jdbc:postgresql://h:5433/d?****");
    assertPrinted(
        "jdbc:mysql://address=(host=h)(trustCertificateKeyStorePassword=hidden)/d",
        "jdbc:mysql://address=(****");
  }

  private static void assertPrinted(String url, String shown) {
    GatewaySettings settings = builder().usageJdbcUrl(url).usageSpool(Path.of("spool")).build();
    assertThat(EffectiveSettings.describe(settings))
        .contains("usage.jdbc-url = \"" + shown + "\"")
        .doesNotContain("hidden");
  }
}
