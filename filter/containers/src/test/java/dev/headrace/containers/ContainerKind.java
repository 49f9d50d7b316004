package dev.headrace.containers;

import jakarta.servlet.Filter;
import jakarta.servlet.Servlet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The embedded containers that every contract runs in. */
public enum ContainerKind {
  JETTY {
    @Override
    RunningContainer start(Deployment deployment) throws Exception {
      return new JettyContainer(deployment);
    }
  },
  TOMCAT {
    @Override
    RunningContainer start(Deployment deployment) throws Exception {
      return new TomcatContainer(deployment, Files.createTempDirectory(temporary(), "tomcat"));
    }
  };

  /**
   * What is to be deployed.
   *
   * @param contextPath of the application, empty for the root
   * @param servlet mapped to {@code /claude/*}, or null
   * @param filter mapped to {@code /*}, or null
   * @param legacyFilter in front of both, without async support, or null
   * @param smallPools whether the container may keep what few requests at once have had for the
   *     next ones, and no more: what the heap holds then does not depend on how many there were
   */
  record Deployment(
      String contextPath,
      @Nullable Servlet servlet,
      @Nullable Filter filter,
      @Nullable Filter legacyFilter,
      boolean smallPools) {

    Deployment(String contextPath, @Nullable Servlet servlet, @Nullable Filter filter) {
      this(contextPath, servlet, filter, null);
    }

    Deployment(
        String contextPath,
        @Nullable Servlet servlet,
        @Nullable Filter filter,
        @Nullable Filter legacyFilter) {
      this(contextPath, servlet, filter, legacyFilter, false);
    }
  }

  /** A container that listens on 127.0.0.1. */
  interface RunningContainer extends AutoCloseable {
    int port();

    /** Stops the application, as an undeploy does; the container goes on. */
    void stopApplication();

    @Override
    void close();
  }

  abstract RunningContainer start(Deployment deployment) throws Exception;

  private static Path temporary() throws IOException {
    return Files.createDirectories(Path.of("target", "containers"));
  }
}
