package dev.headrace.upstream;

/** A thread of the upstream client's, with its {@link Turn}. */
final class UpstreamThread extends Thread {

  private final Turn turn = new Turn();

  UpstreamThread(Runnable task, String name) {
    super(null, task, name, 0, false); // inherits nothing of the thread that starts the gateway
  }

  Turn turn() {
    return turn;
  }
}
