package dev.headrace.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Open Liberty with the feature {@code servlet-6.0} and a user directory of its own. */
final class OpenLibertyServer extends Distribution {

  @Override
  boolean offersH2c() {
    return true;
  }

  @Override
  Launch prepare(Start start) throws IOException {
    Path home = start.servers().resolve("wlp");
    Path server = Files.createDirectories(start.base().resolve("usr/servers/defaultServer"));
    Path webapps = server.resolve("apps");
    Applications.copyAll(start.applications(), webapps);
    Files.writeString(server.resolve("server.xml"), serverXml(start, webapps));
    List<String> jvm = new ArrayList<>();
    for (String line : Files.readAllLines(home.resolve("lib/platform/java/java9.options"))) {
      if (!line.isBlank() && !line.startsWith("#")) {
        jvm.add(line.strip());
      }
    }
    jvm.add("-javaagent:" + home.resolve("bin/tools/ws-javaagent.jar"));
    jvm.add("-jar");
    jvm.add(home.resolve("bin/tools/ws-server.jar").toString());
    return new Launch(
        jvm,
        List.of("defaultServer"),
        Map.of("WLP_USER_DIR", start.base().resolve("usr").toString()),
        webapps);
  }

  private static String serverXml(Start start, Path webapps) {
    StringBuilder applications = new StringBuilder();
    for (Map.Entry<String, Path> application : start.applications().entrySet()) {
      String name = application.getKey();
      String file = Files.isDirectory(application.getValue()) ? name : name + ".war";
      applications.append(
          "  <webApplication id=\"%1$s\" name=\"%1$s\" location=\"%2$s\" contextRoot=\"%3$s\"/>%n"
              .formatted(name, webapps.resolve(file), name.equals("ROOT") ? "/" : "/" + name));
    }
    String idle =
        start.idleLimit() == null
            ? ""
            : "<httpOptions persistTimeout=\"%1$sms\" readTimeout=\"%1$sms\" writeTimeout=\"%1$sms\"/>"
                .formatted(start.idleMillis(0));
    return """
    <server>
      <featureManager><feature>servlet-6.0</feature><feature>jndi-1.0</feature></featureManager>
      <httpEndpoint id="defaultHttpEndpoint" host="127.0.0.1" httpPort="%d" httpsPort="-1">%s</httpEndpoint>
      <applicationMonitor updateTrigger="polled" pollingRate="500ms"/>
      <logging consoleLogLevel="INFO"/>
    %s</server>
    """
        .formatted(start.port(), idle, applications);
  }

  @Override
  boolean isReady(Start start, Launch launch, String log) {
    int done = 0;
    for (String code : new String[] {"CWWKZ0001I", "CWWKZ0002E", "CWWKZ0004E"}) {
      done += log.split(code, -1).length - 1;
    }
    return done >= start.applications().size();
  }
}
