package dev.headrace.war;

import dev.headrace.ApplicationSettings;
import dev.headrace.Gateway;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.LoadedSettings;
import dev.headrace.config.SettingsException;
import jakarta.servlet.ServletContext;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has come of the start: a running gateway, or the reason why there is none. A reason is told
 * once, in the log, to those who can do something about it. Thread-safe.
 */
final class Deployment implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Deployment.class);

  /** Whether there is a gateway, and if not, why. */
  enum State {
    RUNNING(""),
    /** No settings file was found: nothing starts from the environment alone. */
    NOT_CONFIGURED("This gateway is not configured yet; its status page says how to do it."),
    /** There are settings that cannot be used. */
    WRONG_SETTINGS("The settings of this gateway are wrong; the server's log says what is."),
    /** {@code enabled: false}. */
    SWITCHED_OFF("This gateway is switched off by its settings."),
    /** It did not start for another reason. */
    FAILED("This gateway did not start; the server's log says why.");

    private final String message;

    State(String message) {
      this.message = message;
    }

    /** For clients of the API; empty while the gateway runs. */
    String message() {
      return message;
    }
  }

  private final State state;
  private final @Nullable Gateway gateway;
  private final @Nullable PrometheusMetrics metrics;

  private Deployment(State state, @Nullable Gateway gateway, @Nullable PrometheusMetrics metrics) {
    this.state = state;
    this.gateway = gateway;
    this.metrics = metrics;
  }

  /** Looks for settings and starts a gateway with them. Never throws. */
  static Deployment start(ServletContext context) {
    try {
      // The application is nothing but the gateway, so that its own path is the mount.
      Optional<LoadedSettings> settings =
          ApplicationSettings.locator(context).code(GatewaySettings.builder().mount("/")).find();
      if (settings.isEmpty()) {
        LOG.warn(
            "Headrace is not configured and answers no requests: set HEADRACE_CONFIG (or the system"
                + " property headrace.config) to the path of a headrace.yaml and restart;"
                + " {}/ says more. No key in the environment starts it alone, because it would be"
                + " open to everybody",
            context.getContextPath());
        return without(State.NOT_CONFIGURED);
      }
      if (!settings.get().settings().enabled()) {
        // perhaps because a variable is misspelt
        settings.get().warnings().forEach(warning -> LOG.warn("{}", warning));
        LOG.info("Headrace is switched off by its settings (enabled: false)");
        return without(State.SWITCHED_OFF);
      }
      return start(settings.get(), context);
    } catch (SettingsException | IllegalArgumentException e) {
      LOG.error("Headrace answers no requests, because it cannot start: {}", e.getMessage());
      return without(State.WRONG_SETTINGS);
    } catch (RuntimeException | ServiceConfigurationError e) {
      LOG.error("Headrace answers no requests, because it could not start", e);
      return without(State.FAILED);
    }
  }

  private static Deployment without(State reason) {
    return new Deployment(reason, null, null);
  }

  private static Deployment start(LoadedSettings loaded, ServletContext context) {
    ClassLoader application = context.getClassLoader();
    Gateway gateway = Gateway.builder(loaded).services(application).start();
    PrometheusMetrics metrics;
    try {
      metrics = new PrometheusMetrics(gateway);
    } catch (RuntimeException e) {
      gateway.close();
      throw e;
    }
    LOG.info("Headrace answers at {}{}/v1/messages", context.getContextPath(), mountOf(gateway));
    if (loaded.settings().identity().sources().isEmpty()) {
      LOG.warn(
          "Headrace is open: identity.sources is not set, so whoever can reach it may use the API"
              + " key without a name and without a limit. Set identity.sources, such as [key]");
    }
    return new Deployment(State.RUNNING, gateway, metrics);
  }

  /** The path of the gateway within the application, without a slash at its end. */
  static String mountOf(Gateway gateway) {
    String mount = gateway.settings().mount();
    return mount.equals("/") ? "" : mount;
  }

  State state() {
    return state;
  }

  /** The gateway; null unless it runs. */
  @Nullable Gateway gateway() {
    return gateway;
  }

  /** Its metrics; null unless it runs. */
  @Nullable PrometheusMetrics metrics() {
    return metrics;
  }

  /** Drains and closes the gateway, see {@link Gateway#close}. Idempotent. */
  @Override
  public void close() {
    try {
      if (gateway != null) {
        gateway.close();
      }
    } finally {
      if (metrics != null) {
        metrics.close();
      }
    }
  }
}
