package dev.headrace;

import dev.headrace.config.LoadedSettings;
import jakarta.servlet.Registration;
import jakarta.servlet.ServletContainerInitializer;
import jakarta.servlet.ServletContext;
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
    register(context, GatewayStart.start(settings.get(), context));
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

  private static void register(ServletContext context, Gateway gateway) throws ServletException {
    ServletRegistration.Dynamic servlet = context.addServlet(NAME, new GatewayServlet(gateway));
    if (servlet == null) {
      gateway.close();
      throw new ServletException(
          "Headrace cannot register its servlet: the application has another one named " + NAME);
    }
    servlet.setAsyncSupported(true);
    servlet.setLoadOnStartup(
        1); // so that destroy() closes the gateway also if nobody ever called it
    String mount = gateway.settings().mount();
    String pattern = mount.equals("/") ? "/*" : mount + "/*";
    Set<String> conflicts = servlet.addMapping(pattern);
    if (!conflicts.isEmpty()) {
      gateway.close();
      throw new ServletException(
          "Headrace cannot answer at "
              + pattern
              + ": another servlet of the application is mapped there. Set another mount in headrace.yaml.");
    }
    LOG.info("Headrace answers at {}{}/v1/messages", context.getContextPath(), mount);
  }
}
