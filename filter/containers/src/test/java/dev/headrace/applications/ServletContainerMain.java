package dev.headrace.applications;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.catalina.LifecycleState;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.eclipse.jetty.ee11.annotations.AnnotationConfiguration;
import org.eclipse.jetty.ee11.webapp.WebAppContext;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ContextHandlerCollection;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * A process with a servlet container, which has nothing but the container on its class path, and
 * one application in it, at {@code /shop}.
 */
final class ServletContainerMain {

  private ServletContainerMain() {}

  /**
   * Prints {@code port} and its number; at the line {@code undeploy} takes the application out and
   * prints {@code collected} and whether its class loader is gone; runs until its input ends.
   *
   * @param args {@code TOMCAT} or {@code JETTY}, the application's folder, a folder for Tomcat
   */
  public static void main(String[] args) throws Exception {
    Container container =
        args[0].equals("TOMCAT")
            ? new InTomcat(Path.of(args[1]), Path.of(args[2]))
            : new InJetty(Path.of(args[1]));
    System.out.println("port " + container.port());
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.equals("undeploy")) {
        System.out.println("collected " + isCollected(container.undeploy(), container.port()));
      }
    }
    System.exit(0);
  }

  private static boolean isCollected(WeakReference<ClassLoader> loader, int port) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (loader.get() != null && System.nanoTime() - end < 0) {
      visit(port);
      System.gc();
      Thread.sleep(50);
    }
    return loader.get() == null;
  }

  /**
   * One more request, to no application: Jetty's selector points at the connection that it has
   * served last, closed or not, until it serves another one.
   */
  private static void visit(int port) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(10_000);
      socket
          .getOutputStream()
          .write("GET /nobody HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".getBytes(UTF_8));
      socket.getInputStream().readAllBytes();
    }
  }

  private interface Container {
    int port();

    WeakReference<ClassLoader> undeploy() throws Exception;
  }

  private static final class InTomcat implements Container {
    private final Tomcat tomcat = new Tomcat();

    InTomcat(Path application, Path folder) throws Exception {
      tomcat.setBaseDir(folder.toString());
      Connector connector = new Connector();
      connector.setPort(0);
      connector.setProperty("address", "127.0.0.1");
      // One that is made later may remember a class of the application; see ClassLoaderTest.
      connector.setProperty("maxThreads", "20");
      connector.setProperty("minSpareThreads", "20");
      tomcat.setConnector(connector);
      StandardContext context =
          (StandardContext) tomcat.addWebapp("/shop", application.toAbsolutePath().toString());
      context.setUnloadDelay(200);
      tomcat.start();
      if (context.getState() != LifecycleState.STARTED) {
        throw new IllegalStateException("the application did not start");
      }
    }

    @Override
    public int port() {
      return tomcat.getConnector().getLocalPort();
    }

    @Override
    public WeakReference<ClassLoader> undeploy() {
      StandardContext context = (StandardContext) tomcat.getHost().findChild("/shop");
      WeakReference<ClassLoader> loader = new WeakReference<>(context.getLoader().getClassLoader());
      tomcat.getHost().removeChild(context);
      return loader;
    }
  }

  private static final class InJetty implements Container {
    // All threads at the start, for the reason that Tomcat has them.
    private final Server server = new Server(new QueuedThreadPool(20, 20));
    private final ServerConnector connector = new ServerConnector(server);
    private final ContextHandlerCollection contexts = new ContextHandlerCollection();

    InJetty(Path application) throws Exception {
      connector.setHost("127.0.0.1");
      connector.setIdleTimeout(3_000); // a connection that waits keeps what it was last used for
      server.addConnector(connector);
      WebAppContext context = new WebAppContext();
      context.setContextPath("/shop");
      context.setBaseResourceAsPath(application);
      context.addConfiguration(new AnnotationConfiguration());
      // As Jetty's distribution hides its own log from applications.
      context.getHiddenClassMatcher().add("org.slf4j.");
      context.setThrowUnavailableOnStartupException(true);
      contexts.addHandler(context);
      server.setHandler(contexts);
      server.start();
    }

    @Override
    public int port() {
      return connector.getLocalPort();
    }

    @Override
    public WeakReference<ClassLoader> undeploy() throws Exception {
      WebAppContext context = (WebAppContext) contexts.getHandlers().get(0);
      WeakReference<ClassLoader> loader = new WeakReference<>(context.getClassLoader());
      context.stop();
      contexts.removeHandler(context);
      return loader;
    }
  }
}
