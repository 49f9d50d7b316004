package dev.headrace.bench.peers;

import com.linecorp.armeria.client.ClientFactory;
import com.linecorp.armeria.client.Endpoint;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.SessionProtocol;
import com.linecorp.armeria.server.Server;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;

/** Armeria: a service that hands the request to its web client. */
public final class ArmeriaMain {

  private ArmeriaMain() {}

  /** Starts it; the server's threads keep the process alive. */
  public static void main(String... arguments) {
    WebClient client =
        WebClient.builder(
                SessionProtocol.H1C, Endpoint.of("127.0.0.1", Integer.parseInt(arguments[1])))
            .factory(ClientFactory.builder().idleTimeout(Duration.ofHours(1)).build())
            .responseTimeoutMillis(0)
            .maxResponseLength(0)
            .build();
    Server.builder()
        .http(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0])))
        .requestTimeoutMillis(0)
        .idleTimeoutMillis(300_000)
        .maxNumConnections(20_000)
        .serviceUnder("/", (context, request) -> client.execute(request))
        .build()
        .start()
        .join();
  }
}
