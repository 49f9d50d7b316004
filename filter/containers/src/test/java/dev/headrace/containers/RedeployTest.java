package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.identity.GatewayKey;
import dev.headrace.servers.ServerKind;
import dev.headrace.servers.ServerProcess;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The WAR is deployed again and again in a real Tomcat while streams run: each stream ends
 * properly, and nothing of the gateways that are gone is left.
 */
@Tag("long")
final class RedeployTest {

  private static final int REDEPLOYS = 50;

  /** From here on, everything that is made only once has been made. */
  private static final int SETTLED = 10;

  private static final String LOADER = "org.apache.catalina.loader.ParallelWebappClassLoader";
  private static final String KEY = GatewayKey.create(new SecureRandom());

  /** What Tomcat says when an application leaves something behind, and what nobody should say. */
  private static final List<String> COMPLAINTS =
      List.of(
          "appears to have started a thread",
          "failed to stop",
          "memory leak",
          "created a ThreadLocal",
          "failed to unregister",
          "has been stopped already",
          "did not stop",
          " SEVERE ",
          "OutOfMemoryError",
          "\tat ");

  /** Written when a gateway closes and exchanges still run. */
  private static final String LAST_LINE = "exchanges that still run after shutdown.drain";

  private static final String SHORT = "short";
  private static final String MEDIUM = "medium";
  private static final String ENDLESS = "endless";

  @TempDir private Path directory;
  private ClaudeSimulator claude;

  @BeforeEach
  void startClaude() {
    claude =
        ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).rememberRequests(10).start();
    claude.answersBy(
        seen -> {
          String body = seen.bodyText();
          int words = body.contains(ENDLESS) ? 10_000 : body.contains(MEDIUM) ? 100 : 10;
          return Answer.text("first ").thenText("word ".repeat(words)).tokenwise().paced(20);
        });
  }

  @AfterEach
  void stopClaude() {
    claude.close();
  }

  /** The Java of this run, and 25 if it is installed and another. */
  static Stream<Path> javaHomes() throws IOException {
    List<Path> homes = new ArrayList<>();
    Path own = Path.of(System.getProperty("java.home")).toRealPath();
    homes.add(own);
    if (Runtime.version().feature() != 25) {
      Path jdk25 = jdk25();
      if (jdk25 != null) {
        homes.add(jdk25);
      } else if ("required".equals(System.getProperty("headrace.jdk25"))) {
        Assertions.fail("no JDK 25 in /usr/lib/jvm, and -Dheadrace.jdk25=required");
      }
    }
    return homes.stream();
  }

  private static @org.jspecify.annotations.Nullable Path jdk25() throws IOException {
    Path all = Path.of("/usr/lib/jvm");
    if (!Files.isDirectory(all)) {
      return null;
    }
    try (Stream<Path> homes = Files.list(all)) {
      return homes
          .filter(home -> home.getFileName().toString().matches(".*\\b25\\b.*"))
          .filter(home -> Files.isExecutable(home.resolve("bin/jcmd")))
          .findFirst()
          .orElse(null);
    }
  }

  @ParameterizedTest
  @MethodSource("javaHomes")
  void fiftyRedeploysUnderLoadLeaveNothingBehindAndTearNoStream(Path javaHome) throws Exception {
    // The endless streams would make each redeploy last as long as the WAR's own unloadDelay.
    Path war = WarFile.withUnloadDelay(directory, 500);
    long begun = System.nanoTime();
    try (ServerProcess tomcat = start(javaHome, war)) {
      JavaProcess process = new JavaProcess(javaHome, tomcat.pid());
      StreamLoad load = new StreamLoad(tomcat.port(), "/headrace/v1/messages", "x-api-key: " + KEY);
      List<String> threadsOfOne = List.of();
      long metaspaceSettled = 0;
      try (load) {
        load.ask(SHORT, 8).ask(ENDLESS, 8);
        for (int i = 1; i <= REDEPLOYS; i++) {
          Awaitility.await("streams run before redeploy " + i)
              .atMost(Duration.ofSeconds(30))
              .until(() -> load.streaming() >= 12);
          if (i == 1) {
            threadsOfOne = threadsOfOneGateway(process);
          }
          redeploy(tomcat, war, i);
          if (i == SETTLED) {
            awaitOneLoader(process);
            metaspaceSettled = process.metaspaceKib();
          }
        }
        Awaitility.await("streams run after the last redeploy")
            .atMost(Duration.ofSeconds(30))
            .until(() -> load.streaming() >= 12);
        awaitOneLoader(process);
        assertThat(threadsOfOneGateway(process))
            .as("only the threads of the one gateway")
            .isEqualTo(threadsOfOne);
        long metaspace = process.metaspaceKib();
        Figures.note(
            REDEPLOYS + " redeploys in Tomcat, " + javaHome.getFileName(),
            load.ends()
                + ", metaspace "
                + metaspaceSettled
                + " KiB after "
                + SETTLED
                + ", "
                + metaspace
                + " KiB after "
                + REDEPLOYS
                + ", "
                + Duration.ofNanos(System.nanoTime() - begun).toSeconds()
                + " s");
        // One application is about 20 MiB of metaspace.
        assertThat(metaspace).as("metaspace in KiB").isLessThan(metaspaceSettled + 4 * 1024);
        tomcat.undeploy("headrace");
        awaitDeployments(tomcat, "Undeploying context [/headrace]", REDEPLOYS + 1);
      }
      assertEndedProperly(load.ends());
      assertThat(load.ends().get("error event"))
          .as("streams that a redeploy ended")
          .isGreaterThanOrEqualTo(REDEPLOYS);
      assertNothingIsLeft(tomcat, process);
      // Not each time: Tomcat may be quicker and end the requests of a stopped application itself.
      assertThat(Files.readString(tomcat.log()))
          .as("the log is there until the gateway has closed")
          .contains(LAST_LINE);
    }
  }

  /** What Tomcat's own 2 s would cut ends by itself. */
  @ParameterizedTest
  @MethodSource("javaHomes")
  void theWarsOwnUnloadDelayLetsStreamsOfSomeSecondsEnd(Path javaHome) throws Exception {
    Path war = WarFile.get();
    try (ServerProcess tomcat = start(javaHome, war)) {
      JavaProcess process = new JavaProcess(javaHome, tomcat.pid());
      StreamLoad load = new StreamLoad(tomcat.port(), "/headrace/v1/messages", "x-api-key: " + KEY);
      long millis;
      try (load) {
        load.ask(MEDIUM, 20); // 5 s each
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> load.streaming() == 20);
        long before = System.nanoTime();
        redeploy(tomcat, war, 1);
        millis = (System.nanoTime() - before) / 1_000_000;
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> load.streaming() == 20);
      }
      Figures.note(
          "Redeploy in Tomcat with the WAR's own unloadDelay, " + javaHome.getFileName(),
          load.ends() + ", took " + millis + " ms");
      assertThat(load.ends()).doesNotContainKey("error event").containsKey("complete");
      assertEndedProperly(load.ends());
      tomcat.undeploy("headrace");
      awaitDeployments(tomcat, "Undeploying context [/headrace]", 2);
      assertNothingIsLeft(tomcat, process);
    }
  }

  private ServerProcess start(Path javaHome, Path war) throws Exception {
    Files.writeString(
        directory.resolve("keys.yaml"),
        "keys:\n  - {name: alice, group: users, sha256: " + GatewayKey.sha256(KEY) + "}\n");
    Path settings =
        Files.writeString(
            directory.resolve("headrace.yaml"),
            "upstream: {api-key: \"${ANTHROPIC_API_KEY}\", base-url: \""
                + claude.baseUrl()
                + "\"}\n"
                + "identity: {sources: [key], keys-file: keys.yaml}\n"
                + "shutdown: {drain: 200ms}\n");
    return ServerProcess.of(ServerKind.TOMCAT_11)
        .javaHome(javaHome)
        .jvmArgument("-Xmx256m")
        .environment("ANTHROPIC_API_KEY", GatewayUnderTest.API_KEY)
        .environment("HEADRACE_CONFIG", settings.toString())
        .war("headrace", war)
        .start();
  }

  /** Puts the WAR there once more, and waits until Tomcat has deployed it. */
  private void redeploy(ServerProcess tomcat, Path war, int times) throws Exception {
    Path fresh =
        Files.copy(war, directory.resolve("fresh.war"), StandardCopyOption.REPLACE_EXISTING);
    // Tomcat tells a change by the whole second.
    Path deployed = tomcat.webapps().resolve("headrace.war");
    long second = Files.getLastModifiedTime(deployed).toMillis() / 1000 + 2;
    Files.setLastModifiedTime(fresh, FileTime.fromMillis(second * 1000));
    Files.move(
        fresh, deployed, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    awaitDeployments(tomcat, "headrace.war] has finished in", times + 1);
  }

  private static void awaitDeployments(ServerProcess tomcat, String line, int count)
      throws Exception {
    Awaitility.await(count + " times: " + line)
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofMillis(50))
        .until(
            () -> {
              assertThat(tomcat.isAlive()).isTrue();
              return Files.readAllLines(tomcat.log()).stream()
                      .filter(each -> each.contains(line))
                      .count()
                  == count;
            });
  }

  private static void awaitOneLoader(JavaProcess process) {
    awaitLoaders(process, 1);
  }

  private static void awaitLoaders(JavaProcess process, int expected) {
    Awaitility.await("class loaders of applications")
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofSeconds(1))
        .untilAsserted(() -> assertThat(process.liveObjects(LOADER)).isEqualTo(expected));
  }

  /** All that a gateway starts: the last one when its first exchange has ended. */
  private static List<String> threadsOfOneGateway(JavaProcess process) {
    return Awaitility.await("the thread that writes the usage log")
        .atMost(Duration.ofSeconds(60))
        .until(() -> ofGateway(process.threads()), names -> names.contains("headrace-usage-log"));
  }

  private static List<String> ofGateway(List<String> threads) {
    return threads.stream().filter(name -> name.startsWith("headrace-")).toList();
  }

  private static void assertEndedProperly(Map<String, Integer> ends) {
    assertThat(ends.keySet())
        .isSubsetOf(Set.of("complete", "error event", "refused with 503", "refused with 404"));
  }

  private void assertNothingIsLeft(ServerProcess tomcat, JavaProcess process) throws Exception {
    awaitLoaders(process, 0);
    assertThat(ofGateway(process.threads())).isEmpty();
    assertThat(claude.openStreams()).isZero();
    assertThat(Files.readAllLines(tomcat.log()))
        .noneMatch(line -> COMPLAINTS.stream().anyMatch(line::contains));
  }
}
