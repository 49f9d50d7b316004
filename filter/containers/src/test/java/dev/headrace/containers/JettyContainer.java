package dev.headrace.containers;

import jakarta.servlet.DispatcherType;
import java.util.EnumSet;
import org.eclipse.jetty.ee11.servlet.FilterHolder;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** Embedded Jetty 12.1 with HTTP/1.1 and HTTP/2 in clear text. */
final class JettyContainer implements ContainerKind.RunningContainer {

  private final Server server;
  private final ServerConnector connector;
  private final ServletContextHandler context;

  JettyContainer(ContainerKind.Deployment deployment) throws Exception {
    QueuedThreadPool threads = new QueuedThreadPool(40, 8);
    threads.setName("jetty");
    server = new Server(threads);
    HttpConfiguration http = new HttpConfiguration();
    connector =
        new ServerConnector(
            server, new HttpConnectionFactory(http), new HTTP2CServerConnectionFactory(http));
    connector.setHost("127.0.0.1");
    connector.setAcceptQueueSize(4096);
    server.addConnector(connector);
    context = new ServletContextHandler();
    context.setContextPath(deployment.contextPath().isEmpty() ? "/" : deployment.contextPath());
    if (deployment.legacyFilter() != null) {
      FilterHolder holder = new FilterHolder(deployment.legacyFilter());
      holder.setName("legacy");
      holder.setAsyncSupported(false);
      context.addFilter(holder, "/*", EnumSet.of(DispatcherType.REQUEST));
    }
    if (deployment.servlet() != null) {
      ServletHolder holder = new ServletHolder("claude", deployment.servlet());
      holder.setAsyncSupported(true);
      context.addServlet(holder, "/claude/*");
    }
    if (deployment.filter() != null) {
      FilterHolder holder = new FilterHolder(deployment.filter());
      holder.setAsyncSupported(true);
      context.addFilter(holder, "/*", EnumSet.of(DispatcherType.REQUEST, DispatcherType.ASYNC));
      context.addServlet(new ServletHolder("application", new ApplicationServlet()), "/");
    }
    server.setHandler(context);
    server.start();
  }

  @Override
  public int port() {
    return connector.getLocalPort();
  }

  @Override
  public void stopApplication() {
    try {
      context.stop();
    } catch (Exception e) {
      throw new IllegalStateException("the application did not stop", e);
    }
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException("Jetty did not stop", e);
    }
  }
}
