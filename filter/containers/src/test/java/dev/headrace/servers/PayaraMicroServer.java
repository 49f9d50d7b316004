package dev.headrace.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Payara Micro, one jar; what it has deployed at its start it cannot undeploy. */
final class PayaraMicroServer extends Distribution {

  private static final String LISTENERS = "set configs.config.server-config.network-config.";

  @Override
  boolean offersH2c() {
    return true;
  }

  @Override
  Launch prepare(Start start) throws IOException {
    Path base = start.base();
    Path webapps = base.resolve("webapps");
    Applications.copyAll(start.applications(), webapps);
    Path commands = base.resolve("preboot.txt");
    String text =
        LISTENERS + "network-listeners.network-listener.http-listener.address=127.0.0.1\n";
    if (start.idleLimit() != null) {
      text +=
          LISTENERS
              + "protocols.protocol.http-listener.http.timeout-seconds="
              + start.idleLimit().toSeconds()
              + "\n";
    }
    Files.writeString(commands, text);
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--noCluster",
                "--port",
                Integer.toString(start.port()),
                "--rootDir",
                base.resolve("root").toString(),
                "--prebootcommandfile",
                commands.toString()));
    for (Map.Entry<String, Path> application : start.applications().entrySet()) {
      arguments.add("--deploy");
      String name = application.getKey();
      arguments.add(
          webapps
              .resolve(Files.isDirectory(application.getValue()) ? name : name + ".war")
              .toString());
    }
    return new Launch(
        List.of(
            "-Djava.io.tmpdir=" + Files.createDirectories(base.resolve("temp")),
            "-jar",
            start.servers().resolve("payara-micro/payara-micro.jar").toString()),
        arguments,
        Map.of(),
        webapps);
  }

  @Override
  boolean isReady(Start start, Launch launch, String log) {
    return log.contains("ready in");
  }
}
