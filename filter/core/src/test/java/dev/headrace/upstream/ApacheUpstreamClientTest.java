package dev.headrace.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.RepeatedTest;

class ApacheUpstreamClientTest {

  /** A container that looks for threads right after the end of an application finds none. */
  @RepeatedTest(20)
  void closingWaitsForEveryThread() {
    GatewaySettings settings =
        GatewaySettings.builder().upstreamApiKey(Secret.of("k")).upstreamIoThreads(2).build();
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    ApacheUpstreamClient client = new ApacheUpstreamClient(settings);
    Set<Thread> ours = new HashSet<>(Thread.getAllStackTraces().keySet());
    ours.removeAll(before);
    ours.removeIf(thread -> !thread.getName().startsWith("headrace-upstream-"));
    assertThat(ours).isNotEmpty();

    client.close();

    assertThat(ours).noneMatch(Thread::isAlive);
  }
}
