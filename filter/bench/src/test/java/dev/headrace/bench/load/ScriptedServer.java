package dev.headrace.bench.load;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** Answers the requests of its connections as it is told, over plain sockets. */
final class ScriptedServer implements AutoCloseable {

  /** What happens to one request. */
  interface Script {
    /**
     * Answers it.
     *
     * @param number of the request, from 1, over all connections
     * @return whether the connection stays open
     */
    boolean answer(int number, OutputStream client) throws IOException;
  }

  private final ServerSocket socket = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
  private final AtomicInteger requests = new AtomicInteger();
  private final List<Socket> connections = new CopyOnWriteArrayList<>();

  ScriptedServer(Script script) throws IOException {
    start(
        () -> {
          while (true) {
            Socket connection = socket.accept();
            connections.add(connection);
            start(() -> serve(connection, script));
          }
        });
  }

  private interface Task {
    void run() throws IOException;
  }

  private static void start(Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (IOException e) {
                return; // closed
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  private void serve(Socket connection, Script script) throws IOException {
    try (connection) {
      InputStream input = connection.getInputStream();
      while (readRequest(input)) {
        if (!script.answer(requests.incrementAndGet(), connection.getOutputStream())) {
          return;
        }
      }
    }
  }

  private static boolean readRequest(InputStream input) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = input.read();
      if (next < 0) {
        return false;
      }
      head.append((char) next);
    }
    String text = head.toString();
    String length = text.replaceAll("(?s).*Content-Length: (\\d+).*", "$1");
    byte[] body = input.readNBytes(Integer.parseInt(length));
    return new String(body, StandardCharsets.UTF_8).contains("bench deltas=");
  }

  int port() {
    return socket.getLocalPort();
  }

  int requests() {
    return requests.get();
  }

  int connections() {
    return connections.size();
  }

  @Override
  public void close() throws IOException {
    socket.close();
    for (Socket connection : connections) {
      connection.close();
    }
  }
}
