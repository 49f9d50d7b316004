package dev.headrace.containers;

import java.nio.file.Path;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.LifecycleState;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.core.StandardHost;
import org.apache.catalina.startup.Tomcat;
import org.eclipse.jetty.ee11.annotations.AnnotationConfiguration;
import org.eclipse.jetty.ee11.webapp.WebAppContext;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** How each container deploys a directory as it would a WAR, initializers included. */
enum WebApplication {
  JETTY {
    @Override
    Deployed deploy(Path base) throws Exception {
      Server server = new Server();
      ServerConnector connector = new ServerConnector(server);
      connector.setHost("127.0.0.1");
      server.addConnector(connector);
      WebAppContext context = new WebAppContext();
      context.setContextPath("/shop");
      context.setBaseResourceAsPath(base);
      context.setInitParameter(KEEP_LOGBACK, "true");
      context.addConfiguration(new AnnotationConfiguration());
      context.setThrowUnavailableOnStartupException(true);
      server.setHandler(context);
      try {
        server.start();
      } catch (Exception e) {
        server.stop();
        throw e;
      }
      return new Deployed(
          connector.getLocalPort(),
          () -> {
            try {
              server.stop();
            } catch (Exception e) {
              throw new IllegalStateException(e);
            }
          });
    }
  },
  TOMCAT {
    @Override
    Deployed deploy(Path base) throws Exception {
      Tomcat tomcat = new Tomcat();
      tomcat.setBaseDir(base.resolveSibling("tomcat").toString());
      Connector connector = new Connector();
      connector.setPort(0);
      connector.setProperty("address", "127.0.0.1");
      tomcat.setConnector(connector);
      ((StandardHost) tomcat.getHost()).setUnpackWARs(false);
      StandardContext context = (StandardContext) tomcat.addWebapp("/shop", base.toString());
      context.addParameter(KEEP_LOGBACK, "true");
      StartFailure failure = new StartFailure();
      context.addLifecycleListener(failure);
      tomcat.start();
      Runnable stop =
          () -> {
            try {
              tomcat.stop();
              tomcat.destroy();
            } catch (LifecycleException e) {
              throw new IllegalStateException(e);
            }
          };
      if (context.getState() != LifecycleState.STARTED) {
        stop.run();
        throw new IllegalStateException("not started: " + failure.lines());
      }
      return new Deployed(connector.getLocalPort(), stop);
    }
  };

  abstract Deployed deploy(Path base) throws Exception;

  /** Else the logging of the whole test run ends with the first application. */
  private static final String KEEP_LOGBACK = "logbackDisableServletContainerInitializer";

  /** An application that has been deployed at {@code /shop}. */
  record Deployed(int port, Runnable stop) implements AutoCloseable {
    @Override
    public void close() {
      stop.run();
    }
  }
}
