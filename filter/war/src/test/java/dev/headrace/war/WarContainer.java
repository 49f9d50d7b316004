package dev.headrace.war;

import java.nio.file.Path;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.ContextEnvironment;
import org.eclipse.jetty.ee11.annotations.AnnotationConfiguration;
import org.eclipse.jetty.ee11.plus.webapp.EnvConfiguration;
import org.eclipse.jetty.ee11.plus.webapp.PlusConfiguration;
import org.eclipse.jetty.ee11.webapp.WebAppContext;
import org.eclipse.jetty.plus.jndi.EnvEntry;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.jspecify.annotations.Nullable;

/**
 * Embedded containers that deploy what stands in {@code src/main/webapp}, with the classes of the
 * test run: the WAR but for its packaging, which filter/containers tests.
 */
enum WarContainer {
  TOMCAT {
    @Override
    Deployed deploy(
        String contextPath, Path directory, @Nullable String parameter, @Nullable String jndi)
        throws Exception {
      Tomcat tomcat = new Tomcat();
      tomcat.setBaseDir(directory.resolve("tomcat").toString());
      if (jndi != null) {
        tomcat.enableNaming();
      }
      Connector connector = new Connector();
      connector.setPort(0);
      connector.setProperty("address", "127.0.0.1");
      tomcat.setConnector(connector);
      StandardContext context =
          (StandardContext) tomcat.addWebapp(contextPath, WEBAPP.toAbsolutePath().toString());
      context.setUnloadDelay(1_000);
      if (parameter != null) {
        context.addParameter(PARAMETER, parameter);
      }
      if (jndi != null) {
        ContextEnvironment entry = new ContextEnvironment();
        entry.setName("headrace/config");
        entry.setType("java.lang.String");
        entry.setValue(jndi);
        context.getNamingResources().addEnvironment(entry);
      }
      tomcat.start();
      return new Deployed(
          connector.getLocalPort(),
          () -> {
            tomcat.stop();
            tomcat.destroy();
            // Of the whole JVM, and Jetty's own naming would not be found.
            System.clearProperty("java.naming.factory.initial");
            System.clearProperty("java.naming.factory.url.pkgs");
          });
    }
  },

  JETTY {
    @Override
    Deployed deploy(
        String contextPath, Path directory, @Nullable String parameter, @Nullable String jndi)
        throws Exception {
      Server server = new Server();
      ServerConnector connector = new ServerConnector(server);
      connector.setHost("127.0.0.1");
      server.addConnector(connector);
      WebAppContext context = new WebAppContext();
      context.setContextPath(contextPath.isEmpty() ? "/" : contextPath);
      context.setBaseResourceAsPath(WEBAPP.toAbsolutePath());
      context.setTempDirectory(directory.resolve("jetty").toFile());
      context.addConfiguration(
          new AnnotationConfiguration(), new EnvConfiguration(), new PlusConfiguration());
      context.setThrowUnavailableOnStartupException(true);
      if (parameter != null) {
        context.setInitParameter(PARAMETER, parameter);
      }
      if (jndi != null) {
        new EnvEntry(context, "headrace/config", jndi, true);
      }
      server.setHandler(context);
      server.start();
      return new Deployed(connector.getLocalPort(), server::stop);
    }
  };

  private static final Path WEBAPP = Path.of("src/main/webapp");
  private static final String PARAMETER = "headrace.config";

  /** Stops a server. */
  interface Stop {
    void stop() throws Exception;
  }

  /** A started server with the application. */
  record Deployed(int port, Stop stop) implements AutoCloseable {
    @Override
    public void close() {
      try {
        stop.stop();
      } catch (Exception e) {
        throw new IllegalStateException("the server did not stop", e);
      }
    }
  }

  /**
   * Starts a server with the application.
   *
   * @param contextPath empty for the root
   * @param directory for the server's own files
   * @param parameter the context parameter that names the settings file; null for none
   * @param jndi the JNDI entry that names it; null for none
   */
  abstract Deployed deploy(
      String contextPath, Path directory, @Nullable String parameter, @Nullable String jndi)
      throws Exception;
}
