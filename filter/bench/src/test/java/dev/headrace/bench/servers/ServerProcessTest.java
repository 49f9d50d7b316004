package dev.headrace.bench.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.bench.load.LoadGenerator;
import dev.headrace.bench.load.LoadPlan;
import dev.headrace.bench.load.LoadResult;
import dev.headrace.bench.upstream.Ask;
import dev.headrace.bench.upstream.UpstreamMain;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServerProcessTest {

  private static final LoadPlan PLAN =
      new LoadPlan(
          4, new Ask(20, 1000, 20), true, 0, 1000, Duration.ofMillis(50), Duration.ofMillis(300));

  @TempDir private Path directory;

  private ServerProcess upstream() throws IOException {
    int port = ServerProcess.freePort();
    return ServerProcess.start(
        List.of(
            System.getProperty("java.home") + "/bin/java",
            "-cp",
            System.getProperty("java.class.path"),
            UpstreamMain.class.getName(),
            String.valueOf(port)),
        port,
        directory.resolve("upstream.log"));
  }

  @Test
  void tellsWhatAProcessUsesAndItsJitCompiler() throws IOException {
    try (ServerProcess server = upstream()) {
      run(server.port(), "/v1/messages", "");
      long jit = server.jitNanos();
      assertThat(jit).isPositive();
      assertThat(server.cpuNanos()).isGreaterThan(jit);
      assertThat(server.residentBytes()).isGreaterThan(10 << 20);
      assertThat(server.threads()).isGreaterThan(3);
    }
  }

  @Test
  void nothingListensAfterTheEnd() throws IOException {
    ServerProcess server = upstream();
    server.close();
    assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), server.port()).close())
        .isInstanceOf(IOException.class);
  }

  @Test
  void processThatDoesNotListenIsAnErrorWithTheEndOfItsLog() {
    Path log = directory.resolve("log");
    assertThatThrownBy(
            () ->
                ServerProcess.start(
                    List.of("sh", "-c", "echo no such setting; exit 1"),
                    ServerProcess.freePort(),
                    log))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no such setting");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "headrace-jetty",
        "headrace-jetty-client-jdk",
        "headrace-jetty-client-jetty",
        "bare-jetty",
        "bare-tomcat"
      })
  void servletLosesNothingWithAnyUpstreamClient(String name) throws IOException {
    JvmVariant jvm =
        new JvmVariant("", Path.of(System.getProperty("java.home")), List.of("-Xmx256m"));
    Peer peer =
        Peers.all(jvm, List.of()).stream()
            .filter(each -> each.name().equals(name))
            .findFirst()
            .orElseThrow();
    try (ServerProcess upstream = upstream();
        ServerProcess gateway = peer.start(upstream.port(), directory)) {
      LoadResult result = run(gateway.port(), peer.path(), peer.headers());
      assertThat(result.lost()).isEmpty();
      assertThat(result.complete()).isGreaterThan(4);
    }
  }

  private static LoadResult run(int port, String path, String headers) throws IOException {
    return new LoadGenerator(port, path, headers, PLAN).run(LoadGenerator.Window.UNSEEN);
  }
}
