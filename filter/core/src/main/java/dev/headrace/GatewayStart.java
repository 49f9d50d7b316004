package dev.headrace;

import dev.headrace.config.Environment;
import dev.headrace.config.LoadedSettings;
import dev.headrace.config.SettingsException;
import dev.headrace.config.SettingsLocator;
import dev.headrace.config.SettingsReader;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the settings of a web application. */
final class GatewayStart {

  private static final Logger LOG = LoggerFactory.getLogger(GatewayStart.class);
  private static final String IN_APPLICATION = "/WEB-INF/headrace.yaml";
  private static final String ON_CLASS_PATH = "headrace.yaml";

  private GatewayStart() {}

  /**
   * The settings of a gateway that the application wants in any case: from {@code headrace.yaml},
   * and from the environment if there is no file.
   *
   * @param configFile a file that an init-parameter names, or null to look in the usual places
   * @throws ServletException if the settings are wrong; the message lists everything that is
   */
  static Gateway start(ServletContext context, @Nullable String configFile)
      throws ServletException {
    try {
      return start(load(context, configFile), context);
    } catch (SettingsException e) {
      throw new ServletException("Headrace does not start: " + e.getMessage(), e);
    }
  }

  /** Starts a gateway with what the application adds, and says where its settings come from. */
  static Gateway start(LoadedSettings loaded, ServletContext context) {
    loaded.warnings().forEach(warning -> LOG.warn("{}", warning));
    return Gateway.builder(loaded).services(classLoader(context)).start();
  }

  /** The settings of a gateway that the application wants only if it has a settings file. */
  static Optional<LoadedSettings> findSettings(ServletContext context) throws ServletException {
    Environment environment = Environment.ofProcess();
    boolean named =
        environment.property("headrace.config") != null
            || environment.variable("HEADRACE_CONFIG") != null;
    if (!named && !exists(context)) {
      return Optional.empty();
    }
    try {
      return Optional.of(load(context, null));
    } catch (SettingsException e) {
      throw new ServletException("Headrace does not start: " + e.getMessage(), e);
    }
  }

  private static boolean exists(ServletContext context) {
    try (InputStream inApplication = context.getResourceAsStream(IN_APPLICATION)) {
      return inApplication != null || classLoader(context).getResource(ON_CLASS_PATH) != null;
    } catch (java.io.IOException e) {
      return true; // there is one that cannot be closed: reading it tells more
    }
  }

  private static LoadedSettings load(ServletContext context, @Nullable String configFile) {
    Environment environment = Environment.ofProcess();
    if (configFile != null && !configFile.isBlank()) {
      return SettingsReader.read(Path.of(configFile.strip()), environment);
    }
    return SettingsLocator.in(environment)
        .candidate(IN_APPLICATION.substring(1), () -> context.getResourceAsStream(IN_APPLICATION))
        .classPath(classLoader(context))
        .load();
  }

  private static ClassLoader classLoader(ServletContext context) {
    ClassLoader ofApplication = context.getClassLoader();
    return ofApplication != null ? ofApplication : GatewayStart.class.getClassLoader();
  }
}
