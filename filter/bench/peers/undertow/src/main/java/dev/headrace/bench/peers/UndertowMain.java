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
    LoadBalancingProxyClient client =
        new LoadBalancingProxyClient()
            .addHost(URI.create("http://127.0.0.1:" + arguments[1]))
            .setConnectionsPerThread(10_000);
    Undertow.builder()
        .addHttpListener(Integer.parseInt(arguments[0]), "127.0.0.1")
        .setServerOption(UndertowOptions.NO_REQUEST_TIMEOUT, 300_000)
        .setHandler(
            ProxyHandler.builder().setProxyClient(client).setMaxRequestTime(300_000).build())
        .build()
        .start();
  }
}
