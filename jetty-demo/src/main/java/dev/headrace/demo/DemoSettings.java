package dev.headrace.demo;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.config.SettingsException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the environment asks of the demo. Immutable.
 *
 * @param port to listen on; 0 takes a free one
 * @param host address to listen on; null leaves the choice to {@link #bindHost}
 * @param apiKey of the real API; null means that the demo brings a simulated Claude, which the
 *     gateway's settings may leave aside
 * @param baseUrl where the API is; null means where Anthropic has it
 * @param configFile settings of the gateway; null means the demo's own
 * @param models ids to offer, the first is chosen at the start; empty means the page's own list
 * @param prompts examples for the empty page; empty means the page's own
 * @param system prompt to start with; may be empty
 * @param environment all variables, for the settings file
 */
record DemoSettings(
    int port,
    @Nullable String host,
    @Nullable Secret apiKey,
    @Nullable URI baseUrl,
    @Nullable Path configFile,
    List<String> models,
    List<String> prompts,
    String system,
    Map<String, String> environment) {

  static final String HELP =
      """
      Headrace demo: a chat page and the gateway in one process.

        java -jar headrace-jetty-demo.jar

      Without any setting Claude is simulated, on this machine. Environment variables:

        PORT                   port to listen on (default 8080; 0 takes a free one)
        ANTHROPIC_API_KEY      use the real API with this key instead of the simulator
        ANTHROPIC_BASE_URL     another upstream than https://api.anthropic.com; needs the key, too
        HEADRACE_CONFIG        settings file of the gateway (headrace.yaml)
        HEADRACE_DEMO_HOST     address to listen on (default: all addresses with the simulator,
                               localhost with any other upstream)
        HEADRACE_DEMO_MODEL    models to offer, separated by commas; the first one is chosen
        HEADRACE_DEMO_PROMPTS  text file with example prompts, one a line
        HEADRACE_DEMO_SYSTEM   system prompt to start with
        HEADRACE_DEMO_LOG      log level: error, warn (default), info or debug
      """;

  private static final int DEFAULT_PORT = 8080;
  private static final List<String> LOG_LEVELS = List.of("error", "warn", "info", "debug");
  private static final int MAX_PROMPTS = 12;

  DemoSettings {
    models = List.copyOf(models);
    prompts = List.copyOf(prompts);
    environment = Map.copyOf(environment);
  }

  /**
   * The address to bind, or null for all. Unless one was asked for, what costs money is for this
   * machine alone: the demo knows no users, so a stranger could spend it.
   *
   * @param simulated whether no answer costs anything
   */
  @Nullable String bindHost(boolean simulated) {
    if (host != null) {
      return host;
    }
    return simulated ? null : "localhost";
  }

  /**
   * Reads the environment. Blank variables count as unset.
   *
   * @throws DemoException naming the variable that is wrong and what was expected
   */
  static DemoSettings of(Map<String, String> environment) throws DemoException {
    String apiKey = get(environment, "ANTHROPIC_API_KEY");
    String baseUrl = get(environment, "ANTHROPIC_BASE_URL");
    if (baseUrl != null && apiKey == null) {
      throw new DemoException(
          "ANTHROPIC_BASE_URL is set, but ANTHROPIC_API_KEY is not. Set both for another upstream,"
              + " or neither for the simulator.");
    }
    checkLogLevel(get(environment, "HEADRACE_DEMO_LOG"));
    String configFile = get(environment, "HEADRACE_CONFIG");
    String models = get(environment, "HEADRACE_DEMO_MODEL");
    String prompts = get(environment, "HEADRACE_DEMO_PROMPTS");
    String system = get(environment, "HEADRACE_DEMO_SYSTEM");
    return new DemoSettings(
        port(get(environment, "PORT")),
        get(environment, "HEADRACE_DEMO_HOST"),
        apiKey == null ? null : Secret.of(apiKey),
        baseUrl == null ? null : url(baseUrl),
        configFile == null ? null : path("HEADRACE_CONFIG", configFile),
        models == null ? List.of() : Arrays.stream(models.split(",")).map(String::strip).toList(),
        prompts == null ? List.of() : lines(path("HEADRACE_DEMO_PROMPTS", prompts)),
        system == null ? "" : system,
        environment);
  }

  private static @Nullable String get(Map<String, String> environment, String name) {
    String value = environment.get(name);
    return value == null || value.isBlank() ? null : value.strip();
  }

  private static int port(@Nullable String value) throws DemoException {
    if (value == null) {
      return DEFAULT_PORT;
    }
    try {
      int port = Integer.parseInt(value);
      if (port >= 0 && port <= 65535) {
        return port;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new DemoException(
        "PORT: " + value + " (expected: a number from 0 to 65535, such as 8080)");
  }

  private static URI url(String value) throws DemoException {
    try {
      URI url = URI.create(value);
      if (url.getHost() != null && List.of("http", "https").contains(url.getScheme())) {
        // All that the gateway asks of it, said of this variable and not of a setting.
        GatewaySettings.builder().upstreamApiKey(Secret.of("none")).upstreamBaseUrl(url).build();
        return url;
      }
    } catch (SettingsException e) {
      String expected = e.problems().get(0).replace("upstream.base-url", "ANTHROPIC_BASE_URL");
      throw new DemoException(expected, e);
    } catch (IllegalArgumentException e) {
      // said below, without the value: it may contain credentials
    }
    throw new DemoException(
        "ANTHROPIC_BASE_URL is no web address (expected: such as https://api.anthropic.com)");
  }

  private static void checkLogLevel(@Nullable String value) throws DemoException {
    if (value != null && !LOG_LEVELS.contains(value.toLowerCase(Locale.ROOT))) {
      throw new DemoException(
          "HEADRACE_DEMO_LOG: " + value + " (expected: " + String.join(", ", LOG_LEVELS) + ")");
    }
  }

  private static Path path(String variable, String value) throws DemoException {
    try {
      Path path = Path.of(value);
      if (Files.isReadable(path) && Files.isRegularFile(path)) {
        return path;
      }
    } catch (InvalidPathException e) {
      // said below
    }
    throw new DemoException(variable + ": " + value + " (expected: a file that can be read)");
  }

  private static List<String> lines(Path file) throws DemoException {
    try {
      return Files.readAllLines(file).stream()
          .map(String::strip)
          .filter(line -> !line.isEmpty())
          .limit(MAX_PROMPTS)
          .toList();
    } catch (IOException e) {
      throw new DemoException(
          "HEADRACE_DEMO_PROMPTS: " + file + " (expected: a text file in UTF-8)", e);
    }
  }
}
