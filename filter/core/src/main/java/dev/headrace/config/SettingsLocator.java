package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the settings file and reads it. The first of these is used: the files given by name, in
 * their order, the file that the system property {@code headrace.config} names, the file that the
 * environment variable {@code HEADRACE_CONFIG} names, the candidates in their order, {@code
 * headrace.yaml} on the class path. A file that somebody named and that is not there is an error;
 * it is never passed over. Without any file, defaults, code and environment make the settings. Not
 * thread-safe.
 *
 * <p>Relative paths in the file start at its folder. Candidates and the class path are parts of the
 * application: where they have no folder, as in an archive that is not unpacked, a relative path is
 * an error, and that of {@code usage.spool} in any case, because the folder goes with the
 * application.
 */
public final class SettingsLocator {
  static final String PROPERTY = "headrace.config";
  static final String VARIABLE = "HEADRACE_CONFIG";
  static final String CLASS_PATH_NAME = "headrace.yaml";

  private final Environment environment;
  private final List<Named> named = new ArrayList<>();
  private final List<Candidate> candidates = new ArrayList<>();
  private GatewaySettingsBuilder code = GatewaySettings.builder();
  private @Nullable ClassLoader classLoader;

  private record Named(String namedBy, @Nullable String file) {}

  private record Candidate(String name, @Nullable Path folder, Opener opener) {}

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
   * Adds somebody who may name the file and is stronger than system property and environment.
   *
   * @param namedBy what error texts and the log call them, such as {@code the context parameter
   *     headrace.config}
   * @param file the path that they name; null if they name none
   */
  public SettingsLocator named(String namedBy, @Nullable String file) {
    named.add(new Named(requireNonNull(namedBy, "namedBy"), file));
    return this;
  }

  /**
   * Adds a place in the application, without a folder, to look at when no file is named.
   *
   * @param name what error texts and the log call it, such as {@code WEB-INF/headrace.yaml}
   */
  public SettingsLocator candidate(String name, Opener opener) {
    return candidate(name, null, opener);
  }

  /**
   * Adds a place in the application to look at when no file is named.
   *
   * @param name what error texts and the log call it, such as {@code WEB-INF/headrace.yaml}
   * @param folder where relative paths in it start; null if there is none
   */
  public SettingsLocator candidate(String name, @Nullable Path folder, Opener opener) {
    candidates.add(
        new Candidate(requireNonNull(name, "name"), folder, requireNonNull(opener, "opener")));
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
    return find()
        .orElseGet(
            () ->
                new SettingsReading("", RelativePaths.OF_WORKING_DIRECTORY, environment, code)
                    .readWithoutFile(
                        "code and environment (no settings file; looked for " + places() + ")"));
  }

  /**
   * As {@link #load}, but empty if there is no settings file.
   *
   * @throws SettingsException with all problems, if there is any; also when a file is named and is
   *     not there
   */
  public Optional<LoadedSettings> find() {
    for (Named each : whoMayName()) {
      if (each.file() != null) {
        return Optional.of(loadNamed(each.file(), each.namedBy()));
      }
    }
    for (Candidate candidate : candidates) {
      LoadedSettings found =
          loadFrom(candidate.name(), candidate.name(), candidate.folder(), candidate.opener());
      if (found != null) {
        return Optional.of(found);
      }
    }
    return Optional.ofNullable(classLoader == null ? null : loadFromClassPath(classLoader));
  }

  private List<Named> whoMayName() {
    List<Named> all = new ArrayList<>(named);
    all.add(new Named("the system property " + PROPERTY, environment.property(PROPERTY)));
    all.add(new Named("the environment variable " + VARIABLE, environment.variable(VARIABLE)));
    return all;
  }

  private LoadedSettings loadNamed(String name, String namedBy) {
    Path file;
    try {
      file = Path.of(name);
      if (name.isBlank() || file.getFileName() == null) {
        throw BadValue.expected("the path of a settings file");
      }
    } catch (InvalidPathException e) {
      throw badName(Shown.text(name), namedBy, BadValue.expected("the path of a settings file"));
    } catch (BadValue e) {
      throw badName(Shown.text(name), namedBy, e);
    }
    String content;
    try {
      content = SettingsReader.contentOf(file);
    } catch (BadValue e) {
      throw badName(Shown.path(file), namedBy, e);
    }
    String source = file.toAbsolutePath() + ", named by " + namedBy;
    return SettingsReader.read(file, content, source, environment, code);
  }

  private static SettingsException badName(String shown, String namedBy, BadValue fault) {
    String text = namedBy + ": " + fault.sentence(shown);
    return new SettingsException(List.of(Problem.of(namedBy, text, null)));
  }

  private @Nullable LoadedSettings loadFromClassPath(ClassLoader loader) {
    URL url = loader.getResource(CLASS_PATH_NAME);
    return url == null
        ? null
        : loadFrom(
            CLASS_PATH_NAME, url + " on the class path", folderOf(url), () -> openUncached(url));
  }

  private static @Nullable Path folderOf(URL url) {
    try {
      return url.getProtocol().equals("file") ? Path.of(url.toURI()).getParent() : null;
    } catch (URISyntaxException | IllegalArgumentException e) { // no path of this machine
      return null;
    }
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

  private @Nullable LoadedSettings loadFrom(
      String name, String source, @Nullable Path folder, Opener opener) {
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
    RelativePaths paths = RelativePaths.inApplication(folder, source);
    return new SettingsReading(shortName, paths, environment, code).read(content, source);
  }

  /** Returns what is looked for, in its order and in words for the log. */
  public String places() {
    List<String> places = new ArrayList<>();
    whoMayName().forEach(each -> places.add(each.namedBy()));
    candidates.forEach(candidate -> places.add(candidate.name()));
    if (classLoader != null) {
      places.add(CLASS_PATH_NAME + " on the class path");
    }
    return String.join(", ", places);
  }
}
