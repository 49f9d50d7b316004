package dev.headrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptionsTest {

  private static final String JDK = System.getProperty("java.home");

  @Test
  void withoutArgumentsEverythingRuns() {
    Options options = Options.parse();
    assertThat(options.scenarios()).containsExactly(Scenario.values());
    assertThat(options.servers())
        .contains("nginx", "haproxy", "headrace-jetty", "headrace-jetty-off", "undertow")
        .doesNotContain("headrace-jetty-client-jdk", "headrace-tomcat-lean");
    assertThat(options.rounds()).isEqualTo(5);
    assertThat(options.scale()).isEqualTo(1);
    assertThat(options.java()).isEqualTo(Path.of(JDK));
  }

  @Test
  void eachOptionIsRead() {
    Options options =
        Options.parse(
            "--scenario",
            "short,held-2000",
            "--server",
            "undertow,headrace-jetty,nginx",
            "--rounds",
            "3",
            "--warm-up",
            "2",
            "--scale",
            "0.2",
            "--java",
            JDK,
            "--jvm",
            " -Xmx1g  -XX:+UseZGC ",
            "--variant",
            "zgc=" + JDK + ":-XX:+UseZGC -Xmx2g",
            "--out",
            "somewhere");
    assertThat(options.scenarios()).containsExactly(Scenario.SHORT, Scenario.HELD_2000);
    assertThat(options.servers())
        .containsExactly("nginx", "headrace-jetty", "undertow"); // as in the tables
    assertThat(options.rounds()).isEqualTo(3);
    assertThat(options.warmUps()).isEqualTo(2);
    assertThat(options.scale()).isEqualTo(0.2);
    assertThat(options.jvm()).containsExactly("-Xmx1g", "-XX:+UseZGC");
    assertThat(options.directory()).isEqualTo(Path.of("somewhere"));
    assertThat(options.variants())
        .singleElement()
        .satisfies(
            variant -> {
              assertThat(variant.name()).isEqualTo("zgc");
              assertThat(variant.java()).isEqualTo(Path.of(JDK));
              assertThat(variant.options()).containsExactly("-XX:+UseZGC", "-Xmx2g");
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--scenario | fast | --scenario fast (expected: of paced, saturation, short",
        "--server | nginx,apache | --server apache (expected: of nginx, haproxy",
        "--rounds | 0 | --rounds 0 (expected: a whole number from 1)",
        "--rounds | many | --rounds many (expected: a whole number from 1)",
        "--warm-up | -1 | --warm-up -1 (expected: a whole number from 1)",
        "--scale | 0 | --scale 0 (expected: a number above 0",
        "--scale | NaN | --scale NaN (expected: a number above 0",
        "--java | /nowhere | --java /nowhere (expected: the folder of a JDK",
        "--variant | zgc | --variant zgc (expected: NAME=JDK:OPTIONS",
        "--variant | zgc=/nowhere:-Xmx1g | --variant /nowhere (expected: the folder of a JDK",
        "--server | nginx,haproxy,nginx | --server nginx (expected: each once)",
        "--scenario | paced,paced | --scenario paced (expected: each once)",
        "--round | 3 | --round (expected: one of --scenario, --server, --rounds",
        "paced | 3 | paced (expected: an option such as --scenario)",
      })
  void mistakesAreNamedWithWhatWasExpected(String option, String value, String message) {
    assertThatThrownBy(() -> Options.parse(option, value))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void optionWithoutItsValueIsAMistake() {
    assertThatThrownBy(() -> Options.parse("--rounds", "3", "--scale"))
        .hasMessage("--scale (expected: a value behind it)");
  }

  @Test
  void twoVariantsOfOneNameAreAMistake() {
    assertThatThrownBy(
            () ->
                Options.parse(
                    "--variant", "a=" + JDK + ":-Xmx1g", "--variant", "a=" + JDK + ":-Xmx2g"))
        .hasMessage("--variant a (expected: another name for each)");
  }

  @Test
  void aVariantOfNoServerIsAMistake() {
    assertThatThrownBy(
            () -> Options.parse("--variant", "a=" + JDK + ":-Xmx1g", "--server", "nginx,undertow"))
        .hasMessage("--variant a (expected: headrace-jetty or headrace-tomcat in --server)");
  }

  @Test
  void serversAreNamedOnlyByTheirOption() {
    assertThat(Options.parse().serversNamed()).isFalse();
    assertThat(Options.parse("--server", "nginx").serversNamed()).isTrue();
  }

  @Test
  void usageNamesAllScenariosServersAndOptions() {
    assertThat(Options.USAGE)
        .contains(Scenario.names())
        .contains("nginx", "spring-cloud-gateway", "headrace-jetty-client-jdk", "less than 5 %")
        .contains("--scenario", "--server", "--rounds", "--warm-up", "--scale", "--java", "--jvm")
        .contains("--variant", "--out", "jmh");
  }
}
