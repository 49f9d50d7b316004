package dev.headrace.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Jetty's home with a JETTY_BASE of its own, and one of its Jakarta EE environments. */
final class JettyServer extends Distribution {

  private final String defaultEnvironment;

  JettyServer(String defaultEnvironment) {
    this.defaultEnvironment = defaultEnvironment;
  }

  @Override
  boolean offersH2c() {
    return true;
  }

  @Override
  Launch prepare(Start start) throws IOException {
    Path base = start.base();
    Path webapps = base.resolve("webapps");
    Applications.copyAll(start.applications(), webapps);
    Path temporary = Files.createDirectories(base.resolve("temp"));
    String ee = start.jakartaEe() == null ? defaultEnvironment : start.jakartaEe();
    List<String> jvm =
        List.of("-Djava.io.tmpdir=" + temporary, "-jar", start.home("jetty-home-") + "/start.jar");
    // Properties first: behind a module of an environment they would be that environment's.
    Files.writeString(
        Files.createDirectories(base.resolve("start.d")).resolve("server.ini"),
        """
        jetty.http.host=127.0.0.1
        jetty.http.port=%2$d
        jetty.http.idleTimeout=%3$s
        jetty.deploy.scanInterval=1
        jetty.server.stopAtShutdown=true
        jetty.server.stopTimeout=4000
        --module=http,http2c,%1$s-deploy,%1$s-annotations,%1$s-plus,%1$s-jsp,graceful
        """
            .formatted(ee, start.port(), start.idleMillis(30_000)));
    return new Launch(jvm, List.of("jetty.base=" + base), Map.of(), webapps);
  }
}
