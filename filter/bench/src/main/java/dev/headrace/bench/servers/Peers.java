package dev.headrace.bench.servers;

import dev.headrace.identity.GatewayKey;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;

/** All servers that can be compared, in the order of the tables. */
public final class Peers {

  private static final String KEY = GatewayKey.create(new SecureRandom());

  /** Of those whose upstream client is not the one that ships. */
  private static final String OTHER_CLIENT = "headrace-jetty-client-";

  /** Tomcat with smaller buffers, for those who look at memory. */
  private static final String LEAN = "headrace-tomcat-lean";

  private Peers() {}

  /** The names of all of them. */
  public static List<String> names() {
    return all(new JvmVariant("", Path.of(""), List.of()), List.of()).stream()
        .map(Peer::name)
        .toList();
  }

  /** The names of those that are compared if nobody says which. */
  public static List<String> namesByDefault() {
    return names().stream()
        .filter(name -> !name.startsWith(OTHER_CLIENT) && !name.equals(LEAN))
        .toList();
  }

  /**
   * All of them, whether they can run here or not.
   *
   * @param jvm for those on the JVM
   * @param variants further ones for Headrace, named {@code headrace-jetty@NAME} and so on
   */
  public static List<Peer> all(JvmVariant jvm, List<JvmVariant> variants) {
    List<Peer> peers = new ArrayList<>();
    peers.add(new NginxPeer());
    peers.add(new HaproxyPeer());
    peers.add(headrace("headrace-jetty", jvm, "--container", "jetty", "--key", KEY));
    peers.addAll(variants("jetty", variants));
    peers.add(headrace("headrace-tomcat", jvm, "--container", "tomcat", "--key", KEY));
    peers.addAll(variants("tomcat", variants));
    peers.add(headrace(LEAN, jvm, "--container", "tomcat-lean", "--key", KEY));
    peers.add(headrace("headrace-jetty-off", jvm, "--container", "jetty"));
    peers.add(headrace("headrace-tomcat-off", jvm, "--container", "tomcat"));
    for (String client : List.of("jdk", "jetty")) {
      peers.add(
          headrace(
              OTHER_CLIENT + client,
              jvm,
              "--container",
              "jetty",
              "--key",
              KEY,
              "--client",
              client));
    }
    peers.add(bare("bare-jetty", jvm, "jetty", "jetty-server"));
    peers.add(bare("bare-tomcat", jvm, "tomcat", "tomcat-embed-core"));
    peers.add(other("jetty-proxy-servlet", jvm, "jetty", "AsyncProxyServletMain", "jetty-server"));
    peers.add(other("jetty-proxy-handler", jvm, "jetty", "ProxyHandlerMain", "jetty-server"));
    peers.add(other("smiley-tomcat", jvm, "smiley", "SmileyMain", "smiley-http-proxy-servlet"));
    peers.add(other("undertow", jvm, "undertow", "UndertowMain", "undertow-core"));
    peers.add(other("armeria", jvm, "armeria", "ArmeriaMain", "armeria"));
    peers.add(
        other(
            "spring-cloud-gateway",
            jvm,
            "spring",
            "SpringGatewayMain",
            "spring-cloud-gateway-server-webflux"));
    return List.copyOf(peers);
  }

  private static List<Peer> variants(String container, List<JvmVariant> variants) {
    return variants.stream()
        .map(
            variant ->
                headrace(
                    "headrace-" + container + "@" + variant.name(),
                    variant,
                    "--container",
                    container,
                    "--key",
                    KEY))
        .toList();
  }

  private static Peer headrace(String name, JvmVariant jvm, String... arguments) {
    List<String> all = List.of(arguments);
    return new JavaPeer(
        name,
        jvm,
        null,
        HeadraceMain.class.getName(),
        all.contains("jetty") ? "jetty-server" : "tomcat-embed-core",
        all,
        "/claude/v1/messages",
        all.contains(KEY) ? "x-api-key: " + KEY + "\r\n" : "");
  }

  private static Peer bare(String name, JvmVariant jvm, String container, String library) {
    return new JavaPeer(
        name,
        jvm,
        null,
        BareMain.class.getName(),
        library,
        List.of("--container", container),
        "/v1/messages",
        "");
  }

  /** Each has a class path of its own, since their libraries do not agree with each other. */
  private static Peer other(
      String name, JvmVariant jvm, String module, String mainClass, String library) {
    Path modules = Path.of(System.getProperty("bench.peers", "filter/bench/peers"));
    return new JavaPeer(
        name,
        jvm,
        modules.resolve(module).resolve("target/class-path.txt"),
        "dev.headrace.bench.peers." + mainClass,
        library,
        List.of(),
        "/v1/messages",
        "");
  }
}
