package dev.headrace;

import dev.headrace.config.Environment;
import dev.headrace.config.SettingsLocator;
import jakarta.servlet.ServletContext;
import java.net.MalformedURLException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;
import javax.naming.Context;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a web application's settings file is looked for. The first of these decides:
 *
 * <ol>
 *   <li>the init-parameter {@code config} of the servlet or filter, if it has one
 *   <li>the context parameter {@code headrace.config}
 *   <li>the JNDI entry {@code java:comp/env/headrace/config}
 *   <li>the system property {@code headrace.config}
 *   <li>the environment variable {@code HEADRACE_CONFIG}
 *   <li>{@code WEB-INF/headrace.yaml}
 *   <li>{@code headrace.yaml} on the class path
 * </ol>
 *
 * <p>The first five name a file. If it is not there, that is an error, and the others are not
 * asked. All methods are thread-safe.
 */
public final class ApplicationSettings {

  private static final Logger LOG = LoggerFactory.getLogger(ApplicationSettings.class);
  private static final String PARAMETER = "headrace.config";
  private static final String JNDI_NAME = "java:comp/env/headrace/config";
  private static final String IN_APPLICATION = "/WEB-INF/headrace.yaml";
  private static final String MISNAMED = "/WEB-INF/headrace.yml";

  private ApplicationSettings() {}

  /** Returns a locator for an application that has no init-parameter. */
  public static SettingsLocator locator(ServletContext context) {
    return locator(context, null);
  }

  /**
   * Returns a locator that looks in all these places.
   *
   * @param configFile the init-parameter; null or blank if there is none
   */
  static SettingsLocator locator(ServletContext context, @Nullable String configFile) {
    return SettingsLocator.in(Environment.ofProcess())
        .named(
            "the init-parameter config",
            configFile == null || configFile.isBlank() ? null : configFile.strip())
        .named("the context parameter " + PARAMETER, context.getInitParameter(PARAMETER))
        .named("the JNDI entry " + JNDI_NAME, byJndi())
        .candidate(
            IN_APPLICATION.substring(1),
            folderIn(context),
            () -> context.getResourceAsStream(IN_APPLICATION))
        .classPath(classLoader(context));
  }

  /** Says so where the application's own file has a name that others use for YAML. */
  static void tellOfMisnamedFile(ServletContext context) {
    try {
      if (context.getResource(MISNAMED) != null) {
        LOG.warn("{} is not read: its name has to be headrace.yaml", MISNAMED.substring(1));
      }
    } catch (MalformedURLException e) {
      throw new IllegalStateException(MISNAMED, e); // it is a constant
    }
  }

  /** The folder of the application's own file; null if it is none of the file system's. */
  private static @Nullable Path folderIn(ServletContext context) {
    try {
      String path = context.getRealPath(IN_APPLICATION);
      Path file = path == null ? null : Path.of(path);
      return file != null && Files.isRegularFile(file) ? file.getParent() : null;
    } catch (InvalidPathException | UnsupportedOperationException e) {
      return null;
    }
  }

  static ClassLoader classLoader(ServletContext context) {
    return Objects.requireNonNullElseGet(
        context.getClassLoader(), ApplicationSettings.class::getClassLoader);
  }

  private static @Nullable String byJndi() {
    try {
      return Jndi.lookUp();
    } catch (LinkageError | RuntimeException e) {
      // A Java without the module java.naming, or a container whose naming is half there.
      LOG.debug("There is no JNDI to look for {} in", JNDI_NAME, e);
      return null;
    }
  }

  /** In a class of its own, which a Java without the module java.naming cannot load. */
  private static final class Jndi {

    @SuppressWarnings("BanJNDI") // the name is a constant, and what is there is the operator's
    static @Nullable String lookUp() {
      try {
        Context naming = new InitialContext();
        try {
          Object value = naming.lookup(JNDI_NAME);
          return value == null ? null : value.toString();
        } finally {
          naming.close();
        }
      } catch (NamingException e) { // no such entry, or no naming in this container
        LOG.debug("There is no JNDI entry {}: {}", JNDI_NAME, e.toString());
        return null;
      }
    }
  }
}
