package dev.headrace.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** WildFly's standalone server with a base directory of its own. */
final class WildFlyServer extends Distribution {

  /** Of those that its start script adds. */
  private static final List<String> OPENED =
      List.of(
          "java.base/com.sun.net.ssl.internal.ssl",
          "java.base/java.lang",
          "java.base/java.lang.invoke",
          "java.base/java.lang.reflect",
          "java.base/java.io",
          "java.base/java.net",
          "java.base/java.security",
          "java.base/java.util",
          "java.base/java.util.concurrent",
          "java.management/javax.management",
          "java.naming/javax.naming");

  private static final List<String> EXPORTED =
      List.of(
          "java.desktop/sun.awt",
          "java.naming/com.sun.jndi.ldap",
          "java.naming/com.sun.jndi.url.ldap",
          "java.naming/com.sun.jndi.url.ldaps",
          "jdk.naming.dns/com.sun.jndi.dns");

  @Override
  boolean offersH2c() {
    return true;
  }

  @Override
  Launch prepare(Start start) throws IOException {
    Path home = start.home("wildfly-");
    Path base = start.base().resolve("standalone");
    Applications.copyFolder(home.resolve("standalone"), base);
    Path configuration = base.resolve("configuration/standalone.xml");
    Files.writeString(configuration, configured(Files.readString(configuration), start));
    Path webapps = base.resolve("deployments");
    Applications.copyAll(start.applications(), webapps);
    List<String> jvm = new ArrayList<>();
    OPENED.forEach(opened -> jvm.add("--add-opens=" + opened + "=ALL-UNNAMED"));
    EXPORTED.forEach(exported -> jvm.add("--add-exports=" + exported + "=ALL-UNNAMED"));
    jvm.addAll(
        List.of(
            "-Djava.net.preferIPv4Stack=true",
            "-Djboss.modules.system.pkgs=org.jboss.byteman",
            "-Dlogging.configuration=file:" + base.resolve("configuration/logging.properties"),
            "-jar",
            home.resolve("jboss-modules.jar").toString()));
    List<String> arguments =
        List.of(
            "-mp",
            home.resolve("modules").toString(),
            "org.jboss.as.standalone",
            "-Djboss.home.dir=" + home,
            "-Djboss.server.base.dir=" + base,
            "-Djboss.http.port=" + start.port(),
            "-Djboss.https.port=0",
            "-Djboss.ajp.port=0",
            "-Djboss.management.http.port=0",
            "-Djboss.management.https.port=0",
            "-b",
            "127.0.0.1");
    return new Launch(jvm, arguments, Map.of(), webapps);
  }

  /** Without fixed ports and without TLS; it looks for removed applications each second. */
  private static String configured(String xml, Start start) {
    String idle =
        start.idleLimit() == null ? "" : " no-request-timeout=\"" + start.idleMillis(0) + "\"";
    return xml.replace("port=\"4712\"", "port=\"0\"")
        .replace("port=\"4713\"", "port=\"0\"")
        .replace("scan-interval=\"5000\"", "scan-interval=\"1000\"")
        .replaceAll("<https-listener [^>]*/>", "")
        .replace(
            "<http-listener name=\"default\"",
            // 10 MiB by default, which is less than the API takes
            "<http-listener name=\"default\" max-post-size=\"67108864\"" + idle);
  }

  @Override
  boolean isReady(Start start, Launch launch, String log) {
    return start.applications().keySet().stream()
        .allMatch(
            name ->
                Files.exists(launch.webapps().resolve(name + ".war.deployed"))
                    || Files.exists(launch.webapps().resolve(name + ".war.failed")));
  }
}
