package dev.headrace.servers;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** GlassFish with a copy of its domain; applications come through its {@code autodeploy} folder. */
final class GlassFishServer extends Distribution {

  /** Without one named, it listens for those that want a queue. */
  private static final String NO_BROKER =
      """
      <jms-service type="REMOTE" default-jms-host="default_JMS_host">
        <jms-host name="default_JMS_host" host="localhost" port="7676" lazy-init="true"/>
      </jms-service>
      """;

  private static final Pattern JVM_OPTION = Pattern.compile("<jvm-options>(.*?)</jvm-options>");

  @Override
  boolean offersH2c() {
    return true;
  }

  @Override
  Launch prepare(Start start) throws IOException {
    Path home = start.servers().resolve("glassfish7/glassfish");
    Path domain = start.base().resolve("domain1");
    Applications.copyFolder(home.resolve("domains/domain1"), domain);
    Path settings = domain.resolve("config/domain.xml");
    String xml = configured(Files.readString(settings), start);
    Files.writeString(settings, xml);
    Path webapps = domain.resolve("autodeploy");
    Applications.copyAll(start.applications(), webapps);
    if (start.applications().containsKey("ROOT")) {
      makeRoot(webapps.resolve("ROOT.war"));
    }
    List<String> jvm = new ArrayList<>(jvmOptions(xml, home, domain));
    jvm.addAll(
        List.of(
            "-Djava.io.tmpdir=" + Files.createDirectories(start.base().resolve("temp")),
            "-Dcom.sun.aas.installRoot=" + home,
            "-Dcom.sun.aas.instanceRoot=" + domain,
            "-classpath",
            home.resolve("modules/glassfish.jar").toString(),
            "com.sun.enterprise.glassfish.bootstrap.GlassFishMain"));
    List<String> arguments =
        List.of(
            "-upgrade",
            "false",
            "-domaindir",
            domain.toString(),
            "-domainname",
            "domain1",
            "-instancename",
            "server",
            "-type",
            "DAS",
            "-verbose",
            "true",
            "-debug",
            "false");
    return new Launch(jvm, arguments, Map.of(), webapps);
  }

  /** As {@code asadmin deploy --contextroot /} would; the folder knows no name for the root. */
  private static void makeRoot(Path war) throws IOException {
    try (FileSystem zip = FileSystems.newFileSystem(URI.create("jar:" + war.toUri()), Map.of())) {
      Files.createDirectories(zip.getPath("WEB-INF"));
      Files.writeString(
          zip.getPath("WEB-INF/glassfish-web.xml"),
          "<glassfish-web-app><context-root>/</context-root></glassfish-web-app>");
    }
  }

  /** On 127.0.0.1 alone, with the admin's listener, which it needs, on any port. */
  private static String configured(String xml, Start start) {
    int end = xml.indexOf("</config>"); // of the server's; what follows is a template
    String own = xml.substring(0, end);
    own =
        own.replace(
                "<network-listener port=\"8080\"",
                "<network-listener address=\"127.0.0.1\" port=\"" + start.port() + "\"")
            .replace(
                "<network-listener port=\"8181\"",
                "<network-listener enabled=\"false\" port=\"8181\"")
            .replace(
                "<network-listener port=\"4848\"",
                "<network-listener address=\"127.0.0.1\" port=\"0\"")
            .replace("<iiop-listener ", "<iiop-listener enabled=\"false\" ")
            .replace("<jmx-connector ", "<jmx-connector enabled=\"false\" ")
            .replace("<java-config ", NO_BROKER + "<java-config ")
            .replace("org.apache.felix.shell.remote,", "")
            .replace("<jvm-options>-Xmx512m</jvm-options>", "");
    if (start.idleLimit() != null) {
      own =
          own.replaceFirst(
              "<http default-virtual-server=\"server\"",
              "<http timeout-seconds=\""
                  + start.idleLimit().toSeconds()
                  + "\" default-virtual-server=\"server\"");
    }
    return own + xml.substring(end);
  }

  /** Those of the domain, which otherwise {@code asadmin} would give to the Java it starts. */
  private static List<String> jvmOptions(String xml, Path home, Path domain) {
    List<String> options = new ArrayList<>();
    Matcher found = JVM_OPTION.matcher(xml.substring(0, xml.indexOf("</config>")));
    while (found.find()) {
      options.add(
          found
              .group(1)
              .replace("${com.sun.aas.installRoot}", home.toString())
              .replace("${com.sun.aas.instanceRoot}", domain.toString()));
    }
    return options;
  }

  @Override
  boolean isReady(Start start, Launch launch, String log) {
    return start.applications().keySet().stream()
        .allMatch(
            name ->
                Files.exists(launch.webapps().resolve(name + ".war_deployed"))
                    || Files.exists(launch.webapps().resolve(name + ".war_deployFailed")));
  }
}
