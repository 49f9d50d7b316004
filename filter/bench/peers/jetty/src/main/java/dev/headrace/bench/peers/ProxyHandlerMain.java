package dev.headrace.bench.peers;

import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.proxy.ProxyHandler;
import org.eclipse.jetty.server.Server;

/** Jetty's core {@code ProxyHandler}, without servlets. */
public final class ProxyHandlerMain {

  private ProxyHandlerMain() {}

  /** Starts it; the server's threads keep the process alive. */
  public static void main(String... arguments) throws Exception {
    Server server = JettyServer.at(arguments[0]);
    int upstream = Integer.parseInt(arguments[1]);
    server.setHandler(
        new ProxyHandler.Reverse(
            request ->
                HttpURI.build(request.getHttpURI())
                    .authority("127.0.0.1", upstream)
                    .asImmutable()) {
          @Override
          protected void configureHttpClient(HttpClient client) {
            super.configureHttpClient(client);
            client.setMaxConnectionsPerDestination(10_000);
            client.setIdleTimeout(3_600_000);
          }
        });
    server.start();
  }
}
