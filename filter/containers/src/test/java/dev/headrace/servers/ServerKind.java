package dev.headrace.servers;

/**
 * The servers that can be started. Each has a version in the root pom ({@code
 * server.<name>.version}) and is unpacked below {@code target/servers}: the first four by every
 * build, the others by the profile {@code matrix}.
 */
public enum ServerKind {
  TOMCAT_11("tomcat-11", "Tomcat"),
  TOMCAT_10_1("tomcat-10.1", "Tomcat"),
  JETTY_12_1("jetty-12.1", "Jetty"),
  /** Has no distribution: {@link UndertowMain} makes a server of its jars. */
  UNDERTOW("undertow", "Undertow"),
  JETTY_12_0("jetty-12.0", "Jetty"),
  WILDFLY("wildfly", "WildFly"),
  OPEN_LIBERTY("open-liberty", "Open Liberty"),
  PAYARA_MICRO("payara-micro", "Payara Micro"),
  GLASSFISH("glassfish", "GlassFish");

  private final String id;
  private final String title;

  ServerKind(String id, String title) {
    this.id = id;
    this.title = title;
  }

  /** As in the pom's properties, such as {@code tomcat-11}. */
  public String id() {
    return id;
  }

  /** The server's name for people. */
  public String title() {
    return title;
  }

  /** The version that the build has unpacked. */
  public String version() {
    String property = "server." + id + ".version";
    String version = System.getProperty(property);
    if (version == null) {
      throw new IllegalStateException("No system property " + property + ": run this with Maven");
    }
    return version;
  }

  /** Whether it speaks HTTP/2 in clear text, by prior knowledge. */
  public boolean offersH2c() {
    return distribution().offersH2c();
  }

  Distribution distribution() {
    return switch (this) {
      case TOMCAT_11, TOMCAT_10_1 -> new TomcatServer();
      case JETTY_12_1 -> new JettyServer("ee11");
      case JETTY_12_0 -> new JettyServer("ee10");
      case UNDERTOW -> new UndertowServer();
      case WILDFLY -> new WildFlyServer();
      case OPEN_LIBERTY -> new OpenLibertyServer();
      case PAYARA_MICRO -> new PayaraMicroServer();
      case GLASSFISH -> new GlassFishServer();
    };
  }
}
