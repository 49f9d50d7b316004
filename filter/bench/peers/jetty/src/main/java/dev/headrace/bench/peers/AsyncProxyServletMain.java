package dev.headrace.bench.peers;

import org.eclipse.jetty.ee10.proxy.AsyncProxyServlet;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;

/** Jetty's {@code AsyncProxyServlet}. */
public final class AsyncProxyServletMain {

  private AsyncProxyServletMain() {}

  /** Starts it; the server's threads keep the process alive. */
  public static void main(String... arguments) throws Exception {
    Server server = JettyServer.at(arguments[0]);
    ServletContextHandler context = new ServletContextHandler();
    context.setContextPath("/");
    ServletHolder holder = new ServletHolder(new AsyncProxyServlet.Transparent());
    holder.setAsyncSupported(true);
    holder.setInitParameter("proxyTo", "http://127.0.0.1:" + arguments[1]);
    holder.setInitParameter("maxConnections", "10000");
    holder.setInitParameter("idleTimeout", "3600000");
    holder.setInitParameter("timeout", "300000");
    context.addServlet(holder, "/*");
    server.setHandler(context);
    server.start();
  }
}
