package dev.headrace;

import static java.util.Objects.requireNonNull;

import dev.headrace.config.EffectiveSettings;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.LoadedSettings;
import dev.headrace.spi.StreamListener;
import dev.headrace.spi.UsageSink;
import dev.headrace.spi.UserResolver;
import dev.headrace.upstream.ApacheUpstreamClient;
import dev.headrace.upstream.TimeSource;
import dev.headrace.upstream.UpstreamClient;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts a gateway together from its settings and from what the application adds to it. Not
 * thread-safe.
 */
public final class GatewayBuilder {

  private static final Logger LOG = LoggerFactory.getLogger(GatewayBuilder.class);

  private final GatewaySettings settings;
  private final String description;
  private final List<String> warnings;
  private TimeSource time = TimeSource.system();
  private final List<StreamListener> listeners = new ArrayList<>();
  private final Map<String, UsageSink> sinks = new LinkedHashMap<>();

  private @Nullable UserResolver resolver;
  private Function<GatewaySettings, UpstreamClient> upstreamClient = ApacheUpstreamClient::new;

  GatewayBuilder(GatewaySettings settings) {
    this.settings = requireNonNull(settings, "settings");
    this.description = EffectiveSettings.describe(settings);
    this.warnings = List.of();
  }

  GatewayBuilder(LoadedSettings loaded) {
    this.settings = requireNonNull(loaded, "loaded").settings();
    this.description = EffectiveSettings.describe(loaded);
    this.warnings = loaded.warnings();
  }

  /** Adds a listener that is told of each message that is streamed. */
  public GatewayBuilder listener(StreamListener listener) {
    listeners.add(requireNonNull(listener, "listener"));
    return this;
  }

  /**
   * Adds a sink for usage records, besides those that the settings name.
   *
   * @param name of its folder below {@code usage.spool}: at most 200 lower-case letters, digits and
   *     dashes, and the same at every start
   * @throws IllegalArgumentException if another sink has this name
   */
  public GatewayBuilder sink(String name, UsageSink sink) {
    requireNonNull(sink, "sink");
    if (sinks.putIfAbsent(requireNonNull(name, "name"), sink) != null) {
      throw new IllegalArgumentException("Two usage sinks are called " + name);
    }
    return this;
  }

  /** Sets the application's own way to tell users, for {@code identity.sources: resolver}. */
  public GatewayBuilder resolver(UserResolver userResolver) {
    resolver = requireNonNull(userResolver, "userResolver");
    return this;
  }

  /**
   * Adds the listeners and sinks, and the resolver, that the application names in {@code
   * META-INF/services}, in files called {@code dev.headrace.spi.StreamListener}, {@code
   * dev.headrace.spi.UserResolver} and {@code dev.headrace.spi.UsageSink}. A sink is called like
   * its class.
   *
   * @throws java.util.ServiceConfigurationError if one of them cannot be made
   */
  public GatewayBuilder services(ClassLoader application) {
    ServiceLoader.load(StreamListener.class, application).forEach(this::listener);
    ServiceLoader.load(UserResolver.class, application).findFirst().ifPresent(this::resolver);
    ServiceLoader.load(UsageSink.class, application)
        .forEach(sink -> sink(nameOf(sink.getClass()), sink));
    return this;
  }

  private static String nameOf(Class<?> sink) {
    return sink.getName()
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^a-z0-9]+", "-")
        .replaceAll("^-|-$", "");
  }

  /** For tests that move the time. */
  GatewayBuilder time(TimeSource source) {
    time = source;
    return this;
  }

  /** For the benchmark, which compares HTTP clients. */
  GatewayBuilder upstreamClient(Function<GatewaySettings, UpstreamClient> client) {
    upstreamClient = client;
    return this;
  }

  /**
   * Without a provider SLF4J logs nothing at all, usage records included.
   *
   * @param log a logger; as an object, since later compilers take {@code getClass} for a method of
   *     the interface, of which the one jar has a bridge
   */
  static void tellIfNothingIsLogged(Object log, PrintStream err) {
    // By its name: the one jar has no such class.
    if (log.getClass().getSimpleName().equals("NOPLogger")) {
      err.println(
          "Headrace: SLF4J has no provider, so that log lines and usage records are lost: add one to"
              + " the application, such as logback-classic or slf4j-jdk14");
    }
  }

  /**
   * Starts the gateway and logs the settings in force, secrets masked, and what is to be looked at
   * in them.
   *
   * @throws dev.headrace.config.SettingsException if a file that the settings name cannot be used;
   *     the message names the setting
   * @throws IllegalArgumentException if they were loaded and say {@code enabled: false}, and there
   *     are warnings: a missing variable or file counts as one then, and what it should have set,
   *     such as plans, would not hold
   */
  public Gateway start() {
    if (!settings.enabled() && !warnings.isEmpty()) {
      throw new IllegalArgumentException(
          "The settings say enabled: false, so that mistakes in them are warnings, with which no"
              + " gateway is started: "
              + String.join("; ", warnings));
    }
    tellIfNothingIsLogged(LOG, System.err);
    warnings.forEach(warning -> LOG.warn("{}", warning));
    return Gateway.start(settings, description, time, listeners, sinks, resolver, upstreamClient);
  }
}
