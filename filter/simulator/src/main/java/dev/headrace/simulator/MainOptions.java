package dev.headrace.simulator;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What {@link SimulatorMain} was told on its command line and in its environment. Immutable. */
record MainOptions(
    int port,
    double tokensPerSecond,
    Duration firstTokenDelay,
    int threads,
    boolean tls,
    @Nullable Long seed,
    @Nullable String apiKey) {
  private static final List<String> NAMES =
      List.of(
          "port", "tokens-per-second", "first-token-delay", "threads", "tls", "seed", "api-key");
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m)");

  /**
   * Reads options, then environment variables, then defaults. An empty variable is as good as none.
   *
   * @throws IllegalArgumentException if something is unknown or out of range; its message says what
   */
  static MainOptions parse(String[] arguments, Map<String, String> environment) {
    Map<String, String> given = new HashMap<>();
    for (String name : NAMES) {
      String value =
          environment.get("SIMULATOR_" + name.toUpperCase(Locale.ROOT).replace('-', '_'));
      // Scripts and Compose files set a variable to nothing where they mean none.
      if (value != null && !value.isBlank()) {
        given.put(name, value);
      }
    }
    int next = 0;
    while (next < arguments.length) {
      String argument = arguments[next++];
      int equals = argument.indexOf('=');
      String option = equals < 0 ? argument : argument.substring(0, equals);
      if (!option.startsWith("--") || !NAMES.contains(option.substring(2))) {
        throw new IllegalArgumentException(
            argument + " is no option. There are --" + String.join(", --", NAMES));
      }
      String name = option.substring(2);
      if (equals >= 0) {
        given.put(name, argument.substring(equals + 1));
      } else if (name.equals("tls")) {
        given.put(name, "true");
      } else if (next < arguments.length) {
        given.put(name, arguments[next++]);
      } else {
        throw new IllegalArgumentException(option + " needs a value");
      }
    }
    return of(given);
  }

  private static MainOptions of(Map<String, String> given) {
    String tls = given.getOrDefault("tls", "false");
    if (!tls.equals("true") && !tls.equals("false")) {
      throw wrong("tls", tls, "true or false");
    }
    String apiKey = given.get("api-key");
    if (apiKey != null && apiKey.isBlank()) {
      throw wrong("api-key", apiKey, "the only key to accept; without the option it is any");
    }
    String seed = given.get("seed");
    return new MainOptions(
        (int) number(given, "port", "8788", 0, 65_535),
        number(given, "tokens-per-second", "60", 0, 1_000_000),
        duration(given.getOrDefault("first-token-delay", "400ms")),
        (int) number(given, "threads", "2", 1, 64),
        tls.equals("true"),
        seed == null ? null : (long) number(given, "seed", seed, 0, 1L << 53),
        apiKey);
  }

  private static double number(
      Map<String, String> given, String name, String fallback, double least, double most) {
    String text = given.getOrDefault(name, fallback);
    try {
      double number = Double.parseDouble(text);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below, with what was expected.
    }
    throw wrong(name, text, String.format(Locale.ROOT, "%.0f to %.0f", least, most));
  }

  private static Duration duration(String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      throw wrong("first-token-delay", text, "a duration such as 400ms or 2s");
    }
    long amount = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "ms" -> Duration.ofMillis(amount);
      case "s" -> Duration.ofSeconds(amount);
      default -> Duration.ofMinutes(amount);
    };
  }

  private static IllegalArgumentException wrong(String name, String value, String expected) {
    return new IllegalArgumentException(
        "--" + name + ": " + value + " (expected: " + expected + ")");
  }
}
