package dev.headrace.matrix;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.headrace.containers.RawClient.End;
import dev.headrace.matrix.Protocol.Client;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * One stream in each protocol, read by threads of their own to its end. Long silence costs nothing
 * while other cases run. Thread-safe.
 */
final class Silence implements AutoCloseable {

  /** How a stream ended, and what there was of it. */
  record Result(End end, String body) {}

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<Protocol, Client> clients = new EnumMap<>(Protocol.class);
  private final Map<Protocol, Future<Result>> results = new EnumMap<>(Protocol.class);

  /** Asks at once; what is answered is the caller's matter. */
  Silence(List<Protocol> protocols, int port, Context context) throws IOException {
    try {
      for (Protocol protocol : protocols) {
        Client client = protocol.connect(port);
        clients.put(protocol, client);
        client.post(context.messages(), CellTest.STREAMING);
        results.put(
            protocol,
            threads.submit(
                () -> {
                  End end = client.readToEnd();
                  return new Result(end, new String(client.body(), UTF_8));
                }));
      }
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  /** Waits for the end of a stream. */
  Result await(Protocol protocol) throws Exception {
    return Objects.requireNonNull(results.get(protocol), protocol.title())
        .get(60, TimeUnit.SECONDS);
  }

  @Override
  public void close() throws IOException {
    threads.shutdownNow();
    for (Client client : clients.values()) {
      client.close();
    }
  }
}
