package dev.headrace.servers;

import io.undertow.server.handlers.resource.ClassPathResourceManager;
import io.undertow.server.handlers.resource.PathResourceManager;
import io.undertow.server.handlers.resource.Resource;
import io.undertow.server.handlers.resource.ResourceChangeListener;
import io.undertow.server.handlers.resource.ResourceManager;
import io.undertow.servlet.api.ServletContainerInitializerInfo;
import jakarta.servlet.ServletContainerInitializer;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An unpacked web application: its class loader, its files, the initializers of its jars.
 *
 * @param classLoader of {@code WEB-INF/classes} and {@code WEB-INF/lib}
 * @param resources its files, and behind them those in {@code META-INF/resources} of its jars
 * @param initializers of its jars; which classes they want to handle is not looked at
 */
record UndertowApplication(
    URLClassLoader classLoader,
    ResourceManager resources,
    List<ServletContainerInitializerInfo> initializers) {

  static UndertowApplication in(Path folder) throws IOException {
    List<URL> classPath = new ArrayList<>();
    classPath.add(folder.resolve("WEB-INF/classes/").toUri().toURL());
    Path lib = folder.resolve("WEB-INF/lib");
    if (Files.isDirectory(lib)) {
      try (Stream<Path> jars = Files.list(lib)) {
        for (Path jar : (Iterable<Path>) jars.sorted()::iterator) {
          classPath.add(jar.toUri().toURL());
        }
      }
    }
    URLClassLoader loader =
        new URLClassLoader(
            classPath.toArray(URL[]::new), UndertowApplication.class.getClassLoader());
    List<ServletContainerInitializerInfo> initializers = new ArrayList<>();
    for (ServletContainerInitializer initializer :
        ServiceLoader.load(ServletContainerInitializer.class, loader)) {
      initializers.add(
          new ServletContainerInitializerInfo(
              initializer.getClass(),
              () -> new io.undertow.servlet.util.ImmediateInstanceHandle<>(initializer),
              Set.of()));
    }
    ResourceManager files = new PathResourceManager(folder);
    ResourceManager inJars = new ClassPathResourceManager(loader, "META-INF/resources");
    return new UndertowApplication(loader, new FilesAndJars(files, inJars), initializers);
  }

  private record FilesAndJars(ResourceManager files, ResourceManager inJars)
      implements ResourceManager {

    @Override
    public @Nullable Resource getResource(String path) throws IOException {
      Resource file = files.getResource(path);
      return file != null ? file : inJars.getResource(path);
    }

    @Override
    public boolean isResourceChangeListenerSupported() {
      return false;
    }

    @Override
    public void registerResourceChangeListener(ResourceChangeListener listener) {}

    @Override
    public void removeResourceChangeListener(ResourceChangeListener listener) {}

    @Override
    public void close() throws IOException {
      files.close();
      inJars.close();
    }
  }
}
