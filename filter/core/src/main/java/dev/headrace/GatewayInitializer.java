package dev.headrace;

import dev.headrace.config.LoadedSettings;
import jakarta.servlet.Registration;
import jakarta.servlet.ServletContainerInitializer;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRegistration;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Registers the gateway in a web application that has this jar and a {@code headrace.yaml}: as a
 * servlet at {@code <mount>/*}, so behind every filter of the application, its login included.
 * Found by the container through {@code META-INF/services}, also with {@code
 * metadata-complete="true"}.
 *
 * <p>Does nothing when there are no settings, when they say {@code enabled: false}, or when {@code
 * web.xml} or other code has declared {@link GatewayServlet} or {@link GatewayFilter} already.
 */
public final class GatewayInitializer implements ServletContainerInitializer {

  private static final Logger LOG = LoggerFactory.getLogger(GatewayInitializer.class);
  private static final String NAME = "headrace";

  /** The servlet of the WAR, which is not on our class path. */
  private static final String SERVLET_OF_WAR = "dev.headrace.war.WarServlet";

  @Override
  public void onStartup(@Nullable Set<Class<?>> classes, ServletContext context)
      throws ServletException {
    if (isDeclared(context)) {
      LOG.debug("Headrace is declared by the application and not registered once more");
      return;
    }
    Optional<LoadedSettings> settings = GatewayStart.findSettings(context);
    if (settings.isEmpty()) {
      LOG.debug("Headrace found no headrace.yaml and registers nothing");
      return;
    }
    if (GatewayStart.isSwitchedOff(settings.get())) {
      return;
    }
    register(context, settings.get());
  }

  private static boolean isDeclared(ServletContext context) {
    Collection<? extends Registration> servlets = context.getServletRegistrations().values();
    return declares(servlets, GatewayServlet.class.getName())
        || declares(servlets, SERVLET_OF_WAR)
        || declares(context.getFilterRegistrations().values(), GatewayFilter.class.getName());
  }

  private static boolean declares(
      Collection<? extends Registration> registrations, String className) {
    return registrations.stream()
        .anyMatch(registration -> className.equals(registration.getClassName()));
  }

  /**
   * Starts the gateway behind the application's own listeners and closes it with the application:
   * when one of them fails, no container ends the servlets, and some not the listeners behind it.
   */
  private static final class Life implements ServletContextListener {
    private final LoadedSettings settings;
    private final ClassLoader application; // before Servlet 6.0 no listener of ours may ask for it
    private final GatewayServlet servlet;

    Life(LoadedSettings settings, ClassLoader application, GatewayServlet servlet) {
      this.settings = settings;
      this.application = application;
      this.servlet = servlet;
    }

    @Override
    public void contextInitialized(ServletContextEvent event) {
      Gateway gateway = GatewayStart.start(settings, application);
      servlet.answerWith(gateway);
      LOG.info(
          "Headrace answers at {}{}/v1/messages",
          event.getServletContext().getContextPath(),
          gateway.settings().mount());
    }

    @Override
    public void contextDestroyed(ServletContextEvent event) {
      servlet.destroy();
    }
  }

  private static void register(ServletContext context, LoadedSettings settings)
      throws ServletException {
    GatewayServlet gateway = new GatewayServlet();
    ServletRegistration.Dynamic servlet = context.addServlet(NAME, gateway);
    if (servlet == null) {
      throw new ServletException(
          "Headrace cannot register its servlet: the application has another one named " + NAME);
    }
    servlet.setAsyncSupported(true);
    servlet.setLoadOnStartup(1); // so that it sees its filters at the start
    String mount = settings.settings().mount();
    String pattern = mount.equals("/") ? "/*" : mount + "/*";
    Set<String> conflicts = servlet.addMapping(pattern);
    if (!conflicts.isEmpty()) {
      throw new ServletException(
          "Headrace cannot answer at "
              + pattern
              + ": another servlet of the application is mapped there. Set another mount in headrace.yaml.");
    }
    context.addListener(new Life(settings, ApplicationSettings.classLoader(context), gateway));
  }
}
