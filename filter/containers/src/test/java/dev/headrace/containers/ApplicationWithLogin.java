package dev.headrace.containers;

import dev.headrace.containers.ContainerKind.RunningContainer;
import jakarta.servlet.http.HttpServlet;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.realm.MemoryRealm;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.LoginConfig;
import org.apache.tomcat.util.descriptor.web.SecurityCollection;
import org.apache.tomcat.util.descriptor.web.SecurityConstraint;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.ee11.servlet.security.ConstraintMapping;
import org.eclipse.jetty.ee11.servlet.security.ConstraintSecurityHandler;
import org.eclipse.jetty.security.Constraint;
import org.eclipse.jetty.security.HashLoginService;
import org.eclipse.jetty.security.UserStore;
import org.eclipse.jetty.security.authentication.BasicAuthenticator;
import org.eclipse.jetty.security.authentication.FormAuthenticator;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.security.Credential;

/**
 * An application with sessions and the container's own login. Two users: {@code alice} with
 * password {@code wonder} and the roles {@code staff} and {@code other}, {@code bob} with {@code
 * builder} and {@code visitor}. The servlet under test is at {@code /claude/*}, one that the
 * application's own login is made of at {@code /enter}.
 */
final class ApplicationWithLogin {

  /** How people log in. */
  enum Login {
    /** With a form, which leads to {@code /private/*}; {@code /claude/*} asks nobody to log in. */
    FORM("/private/*"),
    /** With HTTP Basic at {@code /claude/*}. */
    BASIC("/claude/*");

    private final String secured;

    Login(String secured) {
      this.secured = secured;
    }
  }

  private ApplicationWithLogin() {}

  static RunningContainer start(
      ContainerKind kind, Login login, HttpServlet claude, HttpServlet enter) throws Exception {
    return switch (kind) {
      case JETTY -> jetty(login, claude, enter);
      case TOMCAT -> tomcat(login, claude, enter);
    };
  }

  private static RunningContainer jetty(Login login, HttpServlet claude, HttpServlet enter)
      throws Exception {
    UserStore users = new UserStore();
    users.addUser("alice", Credential.getCredential("wonder"), new String[] {"staff", "other"});
    users.addUser("bob", Credential.getCredential("builder"), new String[] {"visitor"});
    HashLoginService service = new HashLoginService("shop");
    service.setUserStore(users);
    ConstraintMapping mapping = new ConstraintMapping();
    mapping.setPathSpec(login.secured);
    mapping.setConstraint(Constraint.ANY_USER);
    ConstraintSecurityHandler security = new ConstraintSecurityHandler();
    security.addConstraintMapping(mapping);
    security.setLoginService(service);
    security.setAuthenticator(
        login == Login.FORM
            ? new FormAuthenticator("/login", "/login-failed", false)
            : new BasicAuthenticator());
    ServletContextHandler context =
        new ServletContextHandler(ServletContextHandler.SESSIONS | ServletContextHandler.SECURITY);
    context.setContextPath("/");
    context.setSecurityHandler(security);
    context.addServlet(new ServletHolder("claude", claude), "/claude/*");
    context.addServlet(new ServletHolder("enter", enter), "/enter");
    context.addServlet(new ServletHolder("application", new ApplicationServlet()), "/");
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
    return new RunningContainer() {
      @Override
      public int port() {
        return connector.getLocalPort();
      }

      @Override
      public void stopApplication() {
        close();
      }

      @Override
      public void close() {
        try {
          server.stop();
        } catch (Exception e) {
          throw new IllegalStateException("Jetty did not stop", e);
        }
      }
    };
  }

  private static RunningContainer tomcat(Login login, HttpServlet claude, HttpServlet enter)
      throws Exception {
    Path directory =
        Files.createTempDirectory(
            Files.createDirectories(Path.of("target", "containers")), "login");
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(directory.toAbsolutePath().toString());
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", directory.toAbsolutePath().toString());
    context.setRealm(realm(directory));
    SecurityCollection paths = new SecurityCollection();
    paths.addPattern(login.secured);
    SecurityConstraint constraint = new SecurityConstraint();
    constraint.addCollection(paths);
    constraint.addAuthRole("**"); // whoever has logged in
    context.addConstraint(constraint);
    context.setLoginConfig(new LoginConfig(login.name(), "shop", "/login", "/login-failed"));
    context
        .getPipeline()
        .addValve(
            login == Login.FORM
                ? new org.apache.catalina.authenticator.FormAuthenticator()
                : new org.apache.catalina.authenticator.BasicAuthenticator());
    Tomcat.addServlet(context, "claude", claude).addMapping("/claude/*");
    Tomcat.addServlet(context, "enter", enter).addMapping("/enter");
    Tomcat.addServlet(context, "application", new ApplicationServlet()).addMapping("/");
    tomcat.start();
    return new RunningContainer() {
      @Override
      public int port() {
        return tomcat.getConnector().getLocalPort();
      }

      @Override
      public void stopApplication() {
        close();
      }

      @Override
      public void close() {
        try {
          tomcat.stop();
          tomcat.destroy();
        } catch (LifecycleException e) {
          throw new IllegalStateException("Tomcat did not stop", e);
        }
      }
    };
  }

  private static MemoryRealm realm(Path directory) throws IOException {
    File users = directory.resolve("tomcat-users.xml").toFile();
    Files.writeString(
        users.toPath(),
        """
        <tomcat-users>
          <user username="alice" password="wonder" roles="staff,other"/>
          <user username="bob" password="builder" roles="visitor"/>
        </tomcat-users>
        """);
    MemoryRealm realm = new MemoryRealm();
    realm.setPathname(users.getAbsolutePath());
    return realm;
  }
}
