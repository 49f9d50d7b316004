package dev.headrace.bench.servers;

import dev.headrace.identity.GatewayKey;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;

/** All servers that can be compared, in the order of the tables. */
public final class Peers {

  private static final String KEY = GatewayKey.create(new SecureRandom());

  private Peers() {}

  /**
   * All of them, whether they can run here or not.
   *
   * @param jvm options for those on the JVM
   */
  public static List<Peer> all(List<String> jvm) {
    return List.of(
        new NginxPeer(),
        new HaproxyPeer(),
        headrace("headrace-jetty", jvm, "jetty", true),
        headrace("headrace-tomcat", jvm, "tomcat", true),
        headrace("headrace-jetty-off", jvm, "jetty", false),
        headrace("headrace-tomcat-off", jvm, "tomcat", false),
        other("jetty-proxy-servlet", jvm, "jetty", "AsyncProxyServletMain"),
        other("jetty-proxy-handler", jvm, "jetty", "ProxyHandlerMain"),
        other("smiley-tomcat", jvm, "smiley", "SmileyMain"),
        other("undertow", jvm, "undertow", "UndertowMain"),
        other("armeria", jvm, "armeria", "ArmeriaMain"),
        other("spring-cloud-gateway", jvm, "spring", "SpringGatewayMain"));
  }

  private static Peer headrace(String name, List<String> jvm, String container, boolean on) {
    return new JavaPeer(
        name,
        jvm,
        null,
        HeadraceMain.class.getName(),
        on ? List.of(container, KEY) : List.of(container),
        "/claude/v1/messages",
        on ? "x-api-key: " + KEY + "\r\n" : "");
  }

  /** Each has a class path of its own, since their libraries do not agree with each other. */
  private static Peer other(String name, List<String> jvm, String module, String mainClass) {
    Path modules = Path.of(System.getProperty("bench.peers", "filter/bench/peers"));
    return new JavaPeer(
        name,
        jvm,
        modules.resolve(module).resolve("target/class-path.txt"),
        "dev.headrace.bench.peers." + mainClass,
        List.of(),
        "/v1/messages",
        "");
  }
}
