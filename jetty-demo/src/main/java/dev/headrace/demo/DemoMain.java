package dev.headrace.demo;

import java.util.List;
import java.util.Map;

/**
 * Starts the demo: {@code java -jar headrace-jetty-demo.jar}. Everything that can be set comes from
 * the environment; {@code --help} lists it.
 */
public final class DemoMain {
  private DemoMain() {}

  /** Runs until the process is ended. Exits with 2 if the demo cannot be started. */
  public static void main(String[] args) throws InterruptedException {
    if (args.length > 0) {
      boolean help = List.of("--help", "-h").contains(args[0]);
      (help ? System.out : System.err).print(DemoSettings.HELP);
      if (!help) {
        System.exit(2);
      }
      return;
    }
    try {
      DemoServer demo = start(System.getenv());
      Runtime.getRuntime().addShutdownHook(new Thread(demo::close, "demo-shutdown"));
      demo.join();
    } catch (DemoException e) {
      System.err.println(e.getMessage());
      System.exit(2);
    }
  }

  /** Starts with these variables and says where. */
  static DemoServer start(Map<String, String> environment) throws DemoException {
    DemoServer demo = DemoServer.start(DemoSettings.of(environment));
    String claude =
        demo.simulated()
            ? "Claude is simulated; set ANTHROPIC_API_KEY for the real one"
            : "Claude is real, at " + demo.upstreamHosts();
    System.out.printf("Headrace demo: %s   (%s)%n", demo.uri(), claude);
    return demo;
  }
}
