package dev.headrace.servers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Tomcat with a CATALINA_BASE of its own; applications that are removed are undeployed within a
 * second or two.
 */
final class TomcatServer extends Distribution {

  private static final List<String> OPENED =
      List.of(
          "java.base/java.lang",
          "java.base/java.lang.reflect",
          "java.base/java.io",
          "java.base/java.util",
          "java.base/java.util.concurrent",
          "java.rmi/sun.rmi.transport");

  @Override
  boolean offersH2c() {
    return true;
  }

  @Override
  Launch prepare(Start start) throws IOException {
    Path home = start.home("apache-tomcat-");
    Path base = start.base();
    Applications.copyFolder(home.resolve("conf"), base.resolve("conf"));
    Files.writeString(base.resolve("conf/server.xml"), serverXml(start));
    // Only to the console, which is the log of the process.
    Files.writeString(
        base.resolve("conf/logging.properties"),
        """
        handlers = java.util.logging.ConsoleHandler
        java.util.logging.ConsoleHandler.level = FINE
        java.util.logging.ConsoleHandler.formatter = org.apache.juli.OneLineFormatter
        """);
    Path temporary = Files.createDirectories(base.resolve("temp"));
    Path webapps = base.resolve("webapps");
    Applications.copyAll(start.applications(), webapps);
    List<String> jvm = new java.util.ArrayList<>();
    OPENED.forEach(opened -> jvm.add("--add-opens=" + opened + "=ALL-UNNAMED"));
    jvm.addAll(
        List.of(
            "-Djava.util.logging.config.file=" + base.resolve("conf/logging.properties"),
            "-Djava.util.logging.manager=org.apache.juli.ClassLoaderLogManager",
            "-Dcatalina.home=" + home,
            "-Dcatalina.base=" + base,
            "-Djava.io.tmpdir=" + temporary,
            "-classpath",
            home.resolve("bin/bootstrap.jar")
                + File.pathSeparator
                + home.resolve("bin/tomcat-juli.jar"),
            "org.apache.catalina.startup.Bootstrap"));
    return new Launch(jvm, List.of("start"), Map.of(), webapps);
  }

  private static String serverXml(Start start) {
    String idle = start.idleMillis(20_000);
    return """
    <Server port="-1">
      <!-- The two of the server.xml as shipped that keep applications from leaking. -->
      <Listener className="org.apache.catalina.core.JreMemoryLeakPreventionListener"/>
      <Listener className="org.apache.catalina.core.ThreadLocalLeakPreventionListener"/>
      <Service name="Catalina">
        <!-- Up to JDK 23 a thread keeps the application that had it made, and hands it on to the thread that
             takes its place. Enough of them from the start, as README advises: none is made by an answer's end. -->
        <Connector port="%d" address="127.0.0.1" protocol="HTTP/1.1" minSpareThreads="64"
                   connectionTimeout="%s" keepAliveTimeout="%s" asyncTimeout="%s" acceptCount="1000">
          <UpgradeProtocol className="org.apache.coyote.http2.Http2Protocol" readTimeout="%s" writeTimeout="%s"
                           streamReadTimeout="%s" streamWriteTimeout="%s" keepAliveTimeout="%s"/>
        </Connector>
        <Engine name="Catalina" defaultHost="localhost" backgroundProcessorDelay="1">
          <Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="true"/>
        </Engine>
      </Service>
    </Server>
    """
        .formatted(
            start.port(),
            idle,
            idle,
            start.idleMillis(30_000),
            start.idleMillis(5_000),
            start.idleMillis(5_000),
            idle,
            idle,
            idle);
  }
}
