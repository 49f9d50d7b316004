package dev.headrace.bench.servers;

import jakarta.servlet.http.HttpServlet;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/** A container with one servlet, set to as many connections as the benchmark opens. */
enum ServletContainer {
  JETTY {
    @Override
    void start(int port, HttpServlet servlet, String mapping, Path directory) throws Exception {
      Server server = new Server(new QueuedThreadPool(48, 8));
      ServerConnector connector =
          new ServerConnector(server, 1, -1, new HttpConnectionFactory(new HttpConfiguration()));
      connector.setHost("127.0.0.1");
      connector.setPort(port);
      connector.setAcceptQueueSize(4096);
      server.addConnector(connector);
      ServletContextHandler context = new ServletContextHandler();
      context.setContextPath("/");
      ServletHolder holder = new ServletHolder("servlet", servlet);
      holder.setAsyncSupported(true);
      context.addServlet(holder, mapping);
      server.setHandler(context);
      server.start();
    }
  },
  TOMCAT {
    @Override
    void start(int port, HttpServlet servlet, String mapping, Path directory) throws Exception {
      startTomcat(port, servlet, mapping, directory, Map.of());
    }
  },
  /** Tomcat with the buffers of {@code config/containers/tomcat-server.xml}. */
  TOMCAT_LEAN {
    @Override
    void start(int port, HttpServlet servlet, String mapping, Path directory) throws Exception {
      startTomcat(
          port,
          servlet,
          mapping,
          directory,
          Map.of("socket.appReadBufSize", "2048", "maxTrailerSize", "1024"));
    }
  };

  private static void startTomcat(
      int port, HttpServlet servlet, String mapping, Path directory, Map<String, String> properties)
      throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(directory.toString());
    Connector connector = new Connector();
    connector.setPort(port);
    connector.setProperty("address", "127.0.0.1");
    connector.setProperty("acceptCount", "4096");
    connector.setProperty("maxConnections", "20000");
    connector.setProperty("maxKeepAliveRequests", "-1");
    for (Map.Entry<String, String> property : properties.entrySet()) {
      if (!connector.setProperty(property.getKey(), property.getValue())) {
        throw new IllegalArgumentException("Tomcat's connector knows no " + property.getKey());
      }
    }
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", directory.toString());
    Wrapper wrapper = Tomcat.addServlet(context, "servlet", servlet);
    wrapper.setAsyncSupported(true);
    wrapper.addMapping(mapping);
    tomcat.start();
  }

  /**
   * The one that is meant on a command line.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  static ServletContainer named(@Nullable String name) {
    return valueOf(String.valueOf(name).toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  /**
   * Starts it and returns; its threads keep the process alive.
   *
   * @param port on 127.0.0.1
   * @param directory for its files
   */
  abstract void start(int port, HttpServlet servlet, String mapping, Path directory)
      throws Exception;
}
