package dev.headrace.bench.peers;

import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** The same server as for Headrace. */
final class JettyServer {

  private JettyServer() {}

  static Server at(String port) {
    Server server = new Server(new QueuedThreadPool(48, 8));
    ServerConnector connector =
        new ServerConnector(server, 1, -1, new HttpConnectionFactory(new HttpConfiguration()));
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.parseInt(port));
    connector.setAcceptQueueSize(4096);
    connector.setIdleTimeout(300_000);
    server.addConnector(connector);
    return server;
  }
}
