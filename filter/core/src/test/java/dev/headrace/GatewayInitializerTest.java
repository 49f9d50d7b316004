package dev.headrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.headrace.config.Environment;
import dev.headrace.config.LoadedSettings;
import dev.headrace.config.SettingsLocator;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.ServletRegistration;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** How the gateway registers itself; the real containers are tested in filter/containers. */
class GatewayInitializerTest {

  private static final String SETTINGS = "upstream: {api-key: k}\nmount: /c\n";

  private final List<ServletContextListener> listeners = new ArrayList<>();
  private String settings = SETTINGS;
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

  /** Perhaps the variable that should have switched it on is misspelt. */
  @Test
  void switchedOffItStillTellsTheWarnings() throws Exception {
    settings = "enabled: false\nupstream: {api-key: \"${HEADRACE_ABSENT}\"}\n";
    Logger logger = (Logger) LoggerFactory.getLogger(GatewayStart.class);
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    logger.addAppender(log);
    logger.setLevel(Level.INFO);
    try {
      new GatewayInitializer().onStartup(null, context());
    } finally {
      logger.detachAppender(log);
      logger.setLevel(null);
    }
    assertThat(listeners).isEmpty();
    assertThat(log.list)
        .extracting(event -> event.getLevel() + " " + event.getFormattedMessage())
        .satisfiesExactly(
            warning ->
                assertThat(warning)
                    .startsWith("WARN The gateway is switched off; otherwise: upstream.api-key: ")
                    .contains("${HEADRACE_ABSENT} has no value"),
            end ->
                assertThat(end)
                    .isEqualTo("INFO Headrace is switched off by its settings (enabled: false)"));
  }

  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream().map(Thread::getName).toList();
  }

  private ServletContext context() {
    return proxy(
        ServletContext.class,
        (proxy, method, arguments) ->
            switch (method.getName()) {
              case "getServletRegistrations", "getFilterRegistrations" -> Map.of();
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

  private InputStream settings() {
    return new ByteArrayInputStream(settings.getBytes(StandardCharsets.UTF_8));
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
  }
}
