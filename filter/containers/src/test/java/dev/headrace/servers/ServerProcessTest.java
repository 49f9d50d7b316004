package dev.headrace.servers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The servers that every build has start, deploy, undeploy and stop. */
@Tag("slow")
final class ServerProcessTest {

  @TempDir private Path directory;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @ParameterizedTest
  @EnumSource(names = {"TOMCAT_11", "TOMCAT_10_1", "JETTY_12_1", "UNDERTOW"})
  void serverDeploysWarsUndeploysThemAndStops(ServerKind kind) throws Exception {
    Path war = directory.resolve("a.war");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(war))) {
      zip.putNextEntry(new ZipEntry("index.txt"));
      zip.write("the application".getBytes(UTF_8));
      zip.closeEntry();
    }
    try (ServerProcess server = ServerProcess.of(kind).war("ROOT", war).war("shop", war).start()) {
      assertThat(get(server, "/index.txt").body()).isEqualTo("the application");
      assertThat(get(server, "/shop/index.txt").body()).isEqualTo("the application");
      server.undeploy("shop");
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> get(server, "/shop/index.txt").statusCode() == 404);
      assertThat(get(server, "/index.txt").statusCode()).isEqualTo(200);
      server.stop();
      assertThat(server.isAlive()).isFalse();
    }
  }

  private HttpResponse<String> get(ServerProcess server, String path) throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + server.port() + path);
    return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }
}
