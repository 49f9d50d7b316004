package dev.headrace.servers;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.handlers.PathHandler;
import io.undertow.servlet.Servlets;
import io.undertow.servlet.api.DeploymentInfo;
import io.undertow.servlet.api.DeploymentManager;
import io.undertow.servlet.api.ServletContainer;
import jakarta.servlet.ServletException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes a server of Undertow's jars, in the way that an application which embeds it would: unpacked
 * applications, each with a class loader of its own, their servlet container initializers, and of
 * their {@code web.xml} what {@link UndertowWebXml} reads. Runs until it is asked to end (SIGTERM);
 * an application whose folder is removed is undeployed. Everything else that an application server
 * adds (annotations, JSP, fragments, JNDI) is not there.
 */
final class UndertowMain {

  private final PathHandler contexts = new PathHandler();
  private final Map<Path, Context> deployed = new LinkedHashMap<>();

  private record Context(String path, DeploymentManager manager) {}

  private UndertowMain() {}

  /**
   * Runs until it is asked to end.
   *
   * @param args the port, the folder with the applications, and the limit for silence in
   *     milliseconds, 0 for none
   */
  public static void main(String[] args) throws Exception {
    UndertowMain main = new UndertowMain();
    Path webapps = Path.of(args[1]);
    try (Stream<Path> folders = Files.list(webapps)) {
      for (Path folder : (Iterable<Path>) folders.sorted()::iterator) {
        main.deploy(folder);
      }
    }
    int idleMillis = Integer.parseInt(args[2]);
    Undertow.Builder builder =
        Undertow.builder()
            .addHttpListener(Integer.parseInt(args[0]), "127.0.0.1")
            .setHandler(main.contexts)
            .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
            // 2 MiB by default, which is less than an answered question with a picture in it.
            .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, 64L << 20);
    if (idleMillis > 0) {
      builder.setServerOption(UndertowOptions.NO_REQUEST_TIMEOUT, idleMillis);
      builder.setServerOption(UndertowOptions.IDLE_TIMEOUT, idleMillis);
    }
    Undertow server = builder.build();
    server.start();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  main.undeployAll();
                  server.stop();
                },
                "shutdown"));
    System.out.println("listening on " + args[0]);
    while (true) {
      Thread.sleep(200);
      main.undeployRemoved();
    }
  }

  private synchronized void deploy(Path folder) throws Exception {
    String name = folder.getFileName().toString();
    String path = name.equals("ROOT") ? "/" : "/" + name;
    UndertowApplication application = UndertowApplication.in(folder);
    DeploymentInfo info =
        Servlets.deployment()
            .setClassLoader(application.classLoader())
            .setResourceManager(application.resources())
            .setContextPath(path)
            .setDeploymentName(name);
    application.initializers().forEach(info::addServletContainerInitializer);
    UndertowWebXml.read(folder.resolve("WEB-INF/web.xml"), info, application.classLoader());
    DeploymentManager manager = ServletContainer.Factory.newInstance().addDeployment(info);
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(application.classLoader());
    try {
      manager.deploy();
      contexts.addPrefixPath(path, manager.start());
      deployed.put(folder, new Context(path, manager));
      System.out.println("deployed " + path);
    } catch (RuntimeException | ServletException e) {
      System.out.println("not deployed: " + path);
      e.printStackTrace(System.out);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  private void undeployRemoved() {
    for (Path folder : deployedNow().keySet()) {
      if (!Files.exists(folder)) {
        undeploy(folder);
      }
    }
  }

  private void undeployAll() {
    deployedNow().keySet().forEach(this::undeploy);
  }

  private synchronized Map<Path, Context> deployedNow() {
    return Map.copyOf(deployed);
  }

  private void undeploy(Path folder) {
    Context context = take(folder);
    if (context == null) {
      return;
    }
    try {
      context.manager().stop();
      context.manager().undeploy();
    } catch (ServletException | RuntimeException e) {
      e.printStackTrace(System.out);
    }
    contexts.removePrefixPath(context.path());
    System.out.println("undeployed " + context.path());
  }

  private synchronized @Nullable Context take(Path folder) {
    return deployed.remove(folder);
  }
}
