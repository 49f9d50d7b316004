package dev.headrace.bench.peers;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.handlers.proxy.LoadBalancingProxyClient;
import io.undertow.server.handlers.proxy.ProxyHandler;
import java.net.URI;

/** Undertow's {@code ProxyHandler}. */
public final class UndertowMain {

  private UndertowMain() {}

  /** Starts it; the server's threads keep the process alive. */
  public static void main(String... arguments) {
    // In this order: a host keeps the limit that holds when it is added.
    LoadBalancingProxyClient client =
        new LoadBalancingProxyClient()
            .setConnectionsPerThread(10_000)
            .addHost(URI.create("http://127.0.0.1:" + arguments[1]));
    Undertow.builder()
        .addHttpListener(Integer.parseInt(arguments[0]), "127.0.0.1")
        .setServerOption(UndertowOptions.NO_REQUEST_TIMEOUT, 300_000)
        .setHandler(
            ProxyHandler.builder().setProxyClient(client).setMaxRequestTime(300_000).build())
        .build()
        .start();
  }
}
