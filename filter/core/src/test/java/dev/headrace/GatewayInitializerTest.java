package dev.headrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.headrace.config.Environment;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.LoadedSettings;
import dev.headrace.config.Secret;
import dev.headrace.config.SettingsException;
import dev.headrace.config.SettingsLocator;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.ServletRegistration;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.NOPLogger;

/** How the gateway registers itself; the real containers are tested in filter/containers. */
class GatewayInitializerTest {

  private static final String SETTINGS = "upstream: {api-key: k}\nmount: /c\n";

  private final List<ServletContextListener> listeners = new ArrayList<>();
  private final Map<String, ServletRegistration> registered = new HashMap<>();
  private @Nullable String settings = SETTINGS;
  private boolean inAListenerOfOurs;

  /** Before Servlet 6.0 a listener that code has added may ask its context for next to nothing. */
  @Test
  void itsListenerAsksForNothingThatOldContainersRefuse() throws Exception {
    ServletContext context = context();
    new GatewayInitializer().onStartup(null, context);
    inAListenerOfOurs = true;
    ServletContextEvent event = new ServletContextEvent(context);
    listeners.forEach(listener -> listener.contextInitialized(event));
    assertThat(threads()).anyMatch(name -> name.startsWith("headrace-upstream"));
    listeners.forEach(listener -> listener.contextDestroyed(event));
  }

  /** Both would answer, each with its own settings, and the one that code has made need not win. */
  @Test
  void aGatewayThatCodeRegistersBesideItStopsTheStart() throws Exception {
    new GatewayInitializer().onStartup(null, context());
    registered.put("headrace", registration("headrace", "/c/*"));
    registered.put("claude", registration("claude", "/ai/*"));
    ServletContextEvent event = new ServletContextEvent(context());
    assertThatIllegalStateException()
        .isThrownBy(() -> listeners.forEach(listener -> listener.contextInitialized(event)))
        .withMessageContaining("the servlet headrace at /c/*, which registered itself because of")
        .withMessageContaining("the settings file WEB-INF/headrace.yaml")
        .withMessageContaining("the servlet claude at /ai/*, which code of the application");
  }

  @Test
  void withoutAFileItSaysWhereItHasLookedAndThatAnotherEndingDoesNotCount() throws Exception {
    settings = null;
    List<String> lines;
    try (LogOf log = new LogOf("dev.headrace")) {
      new GatewayInitializer().onStartup(null, context());
      lines = log.lines();
    }
    assertThat(listeners).isEmpty();
    assertThat(lines)
        .satisfiesExactly(
            nothing ->
                assertThat(nothing)
                    .startsWith(
                        "INFO Headrace found no settings file and registers nothing; looked")
                    .contains("HEADRACE_CONFIG, WEB-INF/headrace.yaml, headrace.yaml on the class"),
            misnamed ->
                assertThat(misnamed)
                    .isEqualTo(
                        "WARN WEB-INF/headrace.yml is not read: its name has to be headrace.yaml"));
  }

  /** As of a misspelt variable, which is ignored. */
  @Test
  void whateverStartsAGatewayTellsTheWarningsOnce() {
    LoadedSettings loaded =
        SettingsLocator.in(Environment.of(Map.of("HEADRACE_MOUTN", "/x"), Map.of()))
            .code(GatewaySettings.builder().upstreamApiKey(Secret.of("k")))
            .load();
    try (LogOf log = new LogOf("dev.headrace")) {
      Gateway.start(loaded).close();
      assertThat(log.lines())
          .filteredOn(line -> line.contains("HEADRACE_MOUTN"))
          .singleElement()
          .asString()
          .startsWith("WARN ")
          .contains("Did you mean HEADRACE_MOUNT?");
      assertThat(log.lines())
          .anySatisfy(
              line ->
                  assertThat(line)
                      .startsWith(
                          "INFO Headrace starts with\nfrom code and environment (no settings")
                      .contains("HEADRACE_CONFIG)\nenabled = true"));
    }
  }

  @Test
  void aLogThatGoesNowhereIsSaidOnStandardError() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    GatewayBuilder.tellIfNothingIsLogged(
        NOPLogger.NOP_LOGGER, new PrintStream(err, true, StandardCharsets.UTF_8));
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("SLF4J has no provider")
        .hasLineCount(1);
    err.reset();
    GatewayBuilder.tellIfNothingIsLogged(
        LoggerFactory.getLogger(GatewayInitializerTest.class),
        new PrintStream(err, true, StandardCharsets.UTF_8));
    assertThat(err.size()).isZero();
  }

  @Test
  void pricesThatCannotBeReadAreSettingsThatCannotBeUsed(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("own.yaml"), "version: a\nprises: []\n");
    GatewaySettings broken =
        GatewaySettings.builder().upstreamApiKey(Secret.of("k")).usagePricesFile(file).build();
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> Gateway.start(broken).close())
        .withMessageContaining("usage.prices-file: prises is not known here")
        .withMessageContaining("at own.yaml:2");
  }

  /** Perhaps the variable that should have switched it on is misspelt. */
  @Test
  void switchedOffItStillTellsTheWarnings() throws Exception {
    settings = "enabled: false\nupstream: {api-key: \"${HEADRACE_ABSENT}\"}\n";
    List<String> lines;
    try (LogOf log = new LogOf(GatewayStart.class.getName())) {
      new GatewayInitializer().onStartup(null, context());
      lines = log.lines();
    }
    assertThat(listeners).isEmpty();
    assertThat(lines)
        .satisfiesExactly(
            warning ->
                assertThat(warning)
                    .startsWith("WARN The gateway is switched off; otherwise: upstream.api-key: ")
                    .contains("${HEADRACE_ABSENT} has no value"),
            end ->
                assertThat(end)
                    .isEqualTo("INFO Headrace is switched off by its settings (enabled: false)"));
  }

  /** What is logged below a logger while it is open. */
  private static final class LogOf implements AutoCloseable {
    private final Logger logger;
    private final ListAppender<ILoggingEvent> events = new ListAppender<>();

    LogOf(String name) {
      logger = (Logger) LoggerFactory.getLogger(name);
      events.start();
      logger.addAppender(events);
      logger.setLevel(Level.INFO);
    }

    List<String> lines() {
      return events.list.stream()
          .map(event -> event.getLevel() + " " + event.getFormattedMessage())
          .toList();
    }

    @Override
    public void close() {
      logger.detachAppender(events);
      logger.setLevel(null);
    }
  }

  private static ServletRegistration registration(String name, String mapping) {
    return proxy(
        ServletRegistration.class,
        (self, call, values) ->
            switch (call.getName()) {
              case "getName" -> name;
              case "getClassName" -> GatewayServlet.class.getName();
              default -> List.of(mapping);
            });
  }

  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream().map(Thread::getName).toList();
  }

  private ServletContext context() {
    return proxy(
        ServletContext.class,
        (proxy, method, arguments) ->
            switch (method.getName()) {
              case "getServletRegistrations" -> registered;
              case "getServletRegistration" -> registered.get(arguments[0]);
              case "getFilterRegistrations" -> Map.of();
              case "getResource" -> new URL("file:" + arguments[0]);
              case "getResourceAsStream" -> settings();
              case "addServlet" ->
                  proxy(
                      ServletRegistration.Dynamic.class,
                      (self, call, values) ->
                          call.getName().equals("addMapping") ? Set.of() : null);
              case "addListener" -> listeners.add((ServletContextListener) arguments[0]);
              case "getContextPath" -> "/shop";
              case "getClassLoader" -> {
                if (inAListenerOfOurs) {
                  throw new UnsupportedOperationException();
                }
                yield GatewayInitializerTest.class.getClassLoader();
              }
              default -> null;
            });
  }

  private @Nullable InputStream settings() {
    return settings == null
        ? null
        : new ByteArrayInputStream(settings.getBytes(StandardCharsets.UTF_8));
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  /** Else a variable that is missing in a plan would leave no plan at all. */
  @Test
  void settingsThatWereNotCheckedBecauseTheyAreSwitchedOffStartNothing() {
    LoadedSettings loaded =
        SettingsLocator.in(Environment.of(Map.of(), Map.of()))
            .candidate(
                "headrace.yaml",
                () ->
                    new ByteArrayInputStream(
                        "enabled: false\nupstream: {api-key: \"${MISSING}\"}\n"
                            .getBytes(StandardCharsets.UTF_8)))
            .load();
    assertThat(loaded.warnings()).isNotEmpty();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Gateway.start(loaded).close())
        .withMessageContaining("enabled: false")
        .withMessageContaining("MISSING");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Gateway.builder(loaded).start().close())
        .withMessageContaining("MISSING");
  }
}
