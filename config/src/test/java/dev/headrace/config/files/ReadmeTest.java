package dev.headrace.config.files;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.Setting;
import dev.headrace.config.SettingTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The README's table of settings says what the code does. */
class ReadmeTest {

  private static final Pattern ROW = Pattern.compile("^\\| `([^`]+)` \\| (?:`([^`]+)`|–) \\|");

  @Test
  void tableNamesEverySettingWithItsDefaultInTheOrderOfTheCode() throws IOException {
    String readme = Files.readString(Path.of("..", "README.md"));
    String table =
        readme.substring(
            readme.indexOf("<!-- settings:begin -->"), readme.indexOf("<!-- settings:end -->"));
    Map<String, String> rows = new LinkedHashMap<>();
    for (String line : table.lines().toList()) {
      Matcher row = ROW.matcher(line);
      if (row.find()) {
        rows.put(row.group(1), row.group(2) == null ? "" : row.group(2));
      }
    }

    Map<String, String> expected = new LinkedHashMap<>();
    for (Setting<?> setting : SettingTable.all()) {
      expected.put(setting.key(), setting.defaultText().orElse(""));
    }
    assertThat(rows).isEqualTo(expected);
    assertThat(rows.keySet()).containsExactlyElementsOf(expected.keySet());
  }
}
