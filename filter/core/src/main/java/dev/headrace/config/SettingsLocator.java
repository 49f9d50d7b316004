package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the settings file and reads it. The first of these is used: the file that the system
 * property {@code headrace.config} names, the file that the environment variable {@code
 * HEADRACE_CONFIG} names, the candidates in their order, {@code headrace.yaml} on the class path. A
 * file that somebody named and that is not there is an error; it is never passed over. Without any
 * file, defaults, code and environment make the settings. Not thread-safe.
 */
public final class SettingsLocator {
  static final String PROPERTY = "headrace.config";
  static final String VARIABLE = "HEADRACE_CONFIG";
  static final String CLASS_PATH_NAME = "headrace.yaml";

  private final Environment environment;
  private final List<Candidate> candidates = new ArrayList<>();
  private GatewaySettingsBuilder code = GatewaySettings.builder();
  private @Nullable ClassLoader classLoader;

  private record Candidate(String name, Opener opener) {}

  /** Opens a place where a settings file may be. */
  @FunctionalInterface
  public interface Opener {
    /**
     * Returns the content, which the caller closes, or null if there is nothing.
     *
     * @throws IOException if there is a file and it cannot be read
     */
    @Nullable InputStream open() throws IOException;
  }

  private SettingsLocator(Environment environment) {
    this.environment = requireNonNull(environment, "environment");
  }

  /** Returns a locator without candidates that does not look at the class path. */
  public static SettingsLocator in(Environment environment) {
    return new SettingsLocator(environment);
  }

  /**
   * Adds a place to look at when no file is named.
   *
   * @param name what error texts and the log call it, such as {@code WEB-INF/headrace.yaml}
   */
  public SettingsLocator candidate(String name, Opener opener) {
    candidates.add(new Candidate(requireNonNull(name, "name"), requireNonNull(opener, "opener")));
    return this;
  }

  /** Looks for {@code headrace.yaml} on this class path when there is no other file. */
  public SettingsLocator classPath(ClassLoader loader) {
    classLoader = requireNonNull(loader, "loader");
    return this;
  }

  /** Takes these settings where neither file nor environment says otherwise. */
  public SettingsLocator code(GatewaySettingsBuilder settings) {
    code = new GatewaySettingsBuilder(settings);
    return this;
  }

  /**
   * Finds and reads the settings.
   *
   * @throws SettingsException with all problems, if there is any
   */
  public LoadedSettings load() {
    LoadedSettings named = loadNamed();
    if (named != null) {
      return named;
    }
    for (Candidate candidate : candidates) {
      LoadedSettings found = loadFrom(candidate.name(), candidate.name(), candidate.opener());
      if (found != null) {
        return found;
      }
    }
    LoadedSettings found = classLoader == null ? null : loadFromClassPath(classLoader);
    return found != null
        ? found
        : new SettingsReading("", null, environment, code)
            .readWithoutFile("no settings file; looked for " + places());
  }

  private @Nullable LoadedSettings loadNamed() {
    String property = environment.property(PROPERTY);
    if (property != null) {
      return loadNamed(property, "the system property " + PROPERTY);
    }
    String variable = environment.variable(VARIABLE);
    return variable == null ? null : loadNamed(variable, "the environment variable " + VARIABLE);
  }

  private LoadedSettings loadNamed(String name, String namedBy) {
    Path file;
    String content;
    try {
      file = Path.of(name);
      if (name.isBlank() || file.getFileName() == null) {
        throw BadValue.expected("the path of a settings file");
      }
      content = SettingsReader.contentOf(file);
    } catch (InvalidPathException e) {
      throw badName(name, namedBy, BadValue.expected("the path of a settings file"));
    } catch (BadValue e) {
      throw badName(name, namedBy, e);
    }
    String source = file.toAbsolutePath() + ", named by " + namedBy;
    return SettingsReader.read(file, content, source, environment, code);
  }

  private static SettingsException badName(String name, String namedBy, BadValue fault) {
    String text = namedBy + ": " + fault.sentence(Shown.text(name));
    return new SettingsException(List.of(Problem.of(namedBy, text, null)));
  }

  private @Nullable LoadedSettings loadFromClassPath(ClassLoader loader) {
    URL url = loader.getResource(CLASS_PATH_NAME);
    return url == null
        ? null
        : loadFrom(CLASS_PATH_NAME, url + " on the class path", () -> openUncached(url));
  }

  /**
   * Opens without the JVM-wide cache of jar files, which keeps the jar of an undeployed application
   * open.
   */
  private static InputStream openUncached(URL url) throws IOException {
    var connection = url.openConnection();
    connection.setUseCaches(false);
    return connection.getInputStream();
  }

  private @Nullable LoadedSettings loadFrom(String name, String source, Opener opener) {
    String content;
    try (InputStream in = opener.open()) {
      if (in == null) {
        return null;
      }
      content = SettingsReader.contentOf(in);
    } catch (IOException e) {
      throw SettingsReader.unreadable(name, BadValue.noted("cannot be read", SettingsReader.FILE));
    } catch (BadValue e) {
      throw SettingsReader.unreadable(name, e);
    }
    String shortName = name.substring(name.lastIndexOf('/') + 1);
    return new SettingsReading(shortName, null, environment, code).read(content, source);
  }

  private String places() {
    List<String> places = new ArrayList<>();
    places.add("the system property " + PROPERTY);
    places.add("the environment variable " + VARIABLE);
    candidates.forEach(candidate -> places.add(candidate.name()));
    if (classLoader != null) {
      places.add(CLASS_PATH_NAME + " on the class path");
    }
    return String.join(", ", places);
  }
}
