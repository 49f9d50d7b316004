package dev.headrace.logging;

import static java.lang.invoke.MethodType.methodType;

import java.lang.System.Logger.Level;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.EnumMap;
import java.util.Map;

/**
 * The SLF4J of an application or its container, 1.7 or 2.0. Found and called without a mention of
 * its classes: a mention would be pointed back to this package when the one jar is built, and would
 * be an error where there is no SLF4J. Immutable and thread-safe.
 */
final class ApplicationLogging {

  /** Not constants, for the same reason. */
  private static final String PACKAGE = String.join(".", "org", "slf4j", "");

  private static final MethodType FACTORY = methodType(Object.class, String.class);
  private static final MethodType IS_ENABLED = methodType(boolean.class, Object.class);
  private static final MethodType WRITE =
      methodType(void.class, Object.class, String.class, Throwable.class);

  private final MethodHandle factory;
  private final Map<Level, MethodHandle> isEnabled = new EnumMap<>(Level.class);
  private final Map<Level, MethodHandle> write = new EnumMap<>(Level.class);

  private ApplicationLogging(ClassLoader loader) throws ReflectiveOperationException {
    MethodHandles.Lookup lookup = MethodHandles.publicLookup();
    Class<?> logger = loader.loadClass(PACKAGE + "Logger");
    factory =
        lookup
            .findStatic(
                loader.loadClass(PACKAGE + "LoggerFactory"),
                "getLogger",
                methodType(logger, String.class))
            .asType(FACTORY);
    add(lookup, logger, Level.TRACE, "trace", "isTraceEnabled");
    add(lookup, logger, Level.DEBUG, "debug", "isDebugEnabled");
    add(lookup, logger, Level.INFO, "info", "isInfoEnabled");
    add(lookup, logger, Level.WARNING, "warn", "isWarnEnabled");
    add(lookup, logger, Level.ERROR, "error", "isErrorEnabled");
  }

  private void add(
      MethodHandles.Lookup lookup, Class<?> logger, Level level, String write, String isEnabled)
      throws ReflectiveOperationException {
    this.isEnabled.put(
        level, lookup.findVirtual(logger, isEnabled, methodType(boolean.class)).asType(IS_ENABLED));
    this.write.put(
        level,
        lookup
            .findVirtual(logger, write, methodType(void.class, String.class, Throwable.class))
            .asType(WRITE));
  }

  /** What this class loader finds, or null. */
  static @Nullable ApplicationLogging find(@Nullable ClassLoader loader) {
    if (loader == null) {
      return null;
    }
    try {
      if (hasNoProvider(loader)) {
        return null; // every line would be lost, the usage records of the log among them
      }
      ApplicationLogging found = new ApplicationLogging(loader);
      var unused = found.logger(ApplicationLogging.class.getName()); // is it all there?
      return found;
    } catch (ReflectiveOperationException | LinkageError | RuntimeException e) {
      return null; // the JDK's log will do
    }
  }

  /** Whether this is SLF4J's interface alone, which many libraries bring. */
  private static boolean hasNoProvider(ClassLoader loader) throws ReflectiveOperationException {
    Object provided =
        loader.loadClass(PACKAGE + "LoggerFactory").getMethod("getILoggerFactory").invoke(null);
    return provided.getClass().getName().equals(PACKAGE + "helpers.NOPLoggerFactory");
  }

  /** A logger of this name. */
  Logger logger(String name) {
    return new ApplicationLogger(call(() -> (Object) factory.invokeExact(name)));
  }

  private final class ApplicationLogger implements Logger {

    private final Object target;

    ApplicationLogger(Object target) {
      this.target = target;
    }

    @Override
    public boolean isEnabled(Level level) {
      MethodHandle handle = isEnabled.get(level);
      return handle != null && call(() -> (boolean) handle.invokeExact(target));
    }

    @Override
    public void write(Level level, String message, @Nullable Throwable failure) {
      MethodHandle handle = write.get(level);
      if (handle != null) {
        var unused =
            call(
                () -> {
                  handle.invokeExact(target, message, failure);
                  return true;
                });
      }
    }
  }

  @FunctionalInterface
  private interface Call<T> {
    T run() throws Throwable;
  }

  private static <T> T call(Call<T> call) {
    try {
      return call.run();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e); // SLF4J declares no checked exceptions
    }
  }
}
