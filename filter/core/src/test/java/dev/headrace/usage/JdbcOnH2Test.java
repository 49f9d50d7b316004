package dev.headrace.usage;

import java.util.TimeZone;
import org.h2.util.DateTimeUtils;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** H2 in memory, as itself and as what it pretends to be for applications that test with it. */
@ParameterizedClass
@ValueSource(strings = {"", ";MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE", ";MODE=MariaDB"})
class JdbcOnH2Test extends JdbcContract {

  private final String mode;

  JdbcOnH2Test(String mode) {
    this.mode = mode;
  }

  @Override
  String url() {
    return "jdbc:h2:mem:books" + mode.replaceAll("\\W", "") + ";DB_CLOSE_DELAY=-1" + mode;
  }

  @Override
  @Nullable String user() {
    return null;
  }

  @Override
  String password() {
    return "";
  }

  @Test
  void reportAddsUpByDayInUtcAlsoWhereTheJvmIsInAnotherZone() throws Exception {
    TimeZone before = TimeZone.getDefault();
    setDefault(TimeZone.getTimeZone("Pacific/Kiritimati")); // 14 hours ahead
    try {
      reportAddsUpByDayInUtcWithBothDaysIncluded();
    } finally {
      setDefault(before);
    }
  }

  private static void setDefault(TimeZone zone) {
    TimeZone.setDefault(zone);
    DateTimeUtils.resetCalendar(); // H2 remembers the one that it saw first
  }
}
