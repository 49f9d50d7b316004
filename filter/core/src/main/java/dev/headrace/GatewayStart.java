package dev.headrace;

import dev.headrace.config.LoadedSettings;
import dev.headrace.config.SettingsException;
import dev.headrace.config.SettingsLocator;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts the gateway of a web application. */
final class GatewayStart {

  private static final Logger LOG = LoggerFactory.getLogger(GatewayStart.class);

  private GatewayStart() {}

  /**
   * Starts a gateway that the application has declared: with the settings file that {@link
   * ApplicationSettings} finds, and from the environment if there is none.
   *
   * @param configFile a file that an init-parameter names, or null to look in the usual places
   * @return null if the settings say {@code enabled: false}
   * @throws ServletException if the settings are wrong; the message lists everything that is
   */
  static @Nullable Gateway start(ServletContext context, @Nullable String configFile)
      throws ServletException {
    try {
      LoadedSettings loaded = ApplicationSettings.locator(context, configFile).load();
      return isSwitchedOff(loaded) ? null : start(loaded, ApplicationSettings.classLoader(context));
    } catch (SettingsException e) {
      throw new ServletException("Headrace does not start: " + e.getMessage(), e);
    }
  }

  /** Whether the settings say {@code enabled: false}, which the log then says, with warnings. */
  static boolean isSwitchedOff(LoadedSettings loaded) {
    if (loaded.settings().enabled()) {
      return false;
    }
    // also that the variable to switch it on is misspelt
    loaded.warnings().forEach(warning -> LOG.warn("{}", warning));
    LOG.info("Headrace is switched off by its settings (enabled: false)");
    return true;
  }

  /** Starts a gateway with what the application adds, and says where its settings come from. */
  static Gateway start(LoadedSettings loaded, ClassLoader application) {
    return Gateway.builder(loaded).services(application).start();
  }

  /** The settings of a gateway that the application wants only if it has a settings file. */
  static Optional<LoadedSettings> find(SettingsLocator locator) throws ServletException {
    try {
      return locator.find();
    } catch (SettingsException e) {
      throw new ServletException("Headrace does not start: " + e.getMessage(), e);
    }
  }
}
