package dev.headrace.containers;

/** How much the tests ask of the machine: {@code -Dheadrace.load=full} asks for everything. */
final class Load {

  private Load() {}

  static boolean isFull() {
    return "full".equals(System.getProperty("headrace.load"));
  }

  /** A count for every build, and a larger one for the full load. */
  static int count(int usual, int full) {
    return isFull() ? full : usual;
  }
}
