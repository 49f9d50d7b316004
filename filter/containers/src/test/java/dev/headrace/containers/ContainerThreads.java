package dev.headrace.containers;

import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import org.apache.catalina.connector.CoyoteAdapter;
import org.awaitility.Awaitility;
import org.eclipse.jetty.ee11.servlet.ServletChannel;

/** The threads of the embedded containers, found by their stacks. */
final class ContainerThreads {

  /** Where a thread enters a request in Jetty, and in Tomcat. */
  private static final Set<String> ENTRIES =
      Set.of(ServletChannel.class.getName(), CoyoteAdapter.class.getName());

  private ContainerThreads() {}

  /**
   * Waits until no thread is in a request. Jetty loses the news of an HTTP/2 client that leaves
   * while a thread is still busy with its request, as the README's known limits say: a test in
   * which no later write would tell waits for this before its client leaves.
   */
  static void awaitNoneInARequest() {
    Awaitility.await("the container's threads to be out of the request")
        .atMost(Duration.ofSeconds(5))
        .pollInterval(Duration.ofMillis(2))
        .until(() -> !anyInARequest());
  }

  private static boolean anyInARequest() {
    return Thread.getAllStackTraces().values().stream()
        .flatMap(Arrays::stream)
        .anyMatch(frame -> ENTRIES.contains(frame.getClassName()));
  }
}
