package dev.headrace;

import dev.headrace.config.LoadedSettings;
import dev.headrace.config.SettingsLocator;
import jakarta.servlet.FilterRegistration;
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
 * Where code does so later, the start ends with an error: there would be two gateways, with
 * settings of their own.
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
    SettingsLocator locator = ApplicationSettings.locator(context);
    Optional<LoadedSettings> settings = GatewayStart.find(locator);
    if (settings.isEmpty()) {
      LOG.info(
          "Headrace found no settings file and registers nothing; looked for {}", locator.places());
      ApplicationSettings.tellOfMisnamedFile(context);
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
   * Looks for a gateway that code of the application has registered after this one.
   *
   * @param source where the settings of this one come from, in words
   * @throws IllegalStateException if there is one
   * @throws UnsupportedOperationException if the container does not tell here
   */
  static void refuseAnother(ServletContext context, String source) {
    String another = null;
    for (ServletRegistration each : context.getServletRegistrations().values()) {
      if (GatewayServlet.class.getName().equals(each.getClassName())
          && !NAME.equals(each.getName())) {
        another = describe("servlet", each, each.getMappings());
      }
    }
    for (FilterRegistration each : context.getFilterRegistrations().values()) {
      if (GatewayFilter.class.getName().equals(each.getClassName())) {
        another = describe("filter", each, each.getUrlPatternMappings());
      }
    }
    if (another == null) {
      return;
    }
    ServletRegistration own = context.getServletRegistration(NAME);
    throw new IllegalStateException(
        "Headrace is there twice: "
            + describe("servlet", own, own.getMappings())
            + ", which registered itself because of the settings file "
            + source
            + "; and "
            + another
            + ", which code of the application registered. Keep one: take the registration out of the"
            + " code, or give the file another name or place and let the code read it there"
            + " (SettingsLocator).");
  }

  private static String describe(String what, Registration each, Collection<String> mappings) {
    return "the " + what + " " + each.getName() + " at " + String.join(", ", mappings);
  }

  /**
   * Starts the gateway behind the application's own listeners and closes it with the application:
   * when one of them fails, no container ends the servlets, and some not the listeners behind it.
   */
  private static final class Life implements ServletContextListener {
    private final ServletContext context; // that of the event tells less before Servlet 6.0
    private final LoadedSettings settings;
    private final ClassLoader application; // before Servlet 6.0 no listener of ours may ask for it
    private final GatewayServlet servlet;

    Life(
        ServletContext context,
        LoadedSettings settings,
        ClassLoader application,
        GatewayServlet servlet) {
      this.context = context;
      this.settings = settings;
      this.application = application;
      this.servlet = servlet;
    }

    @Override
    public void contextInitialized(ServletContextEvent event) {
      try {
        refuseAnother(context, settings.source());
      } catch (UnsupportedOperationException e) {
        // then the servlet does it, a little later
      }
      Gateway gateway = GatewayStart.start(settings, application);
      servlet.answerWith(gateway, settings.source());
      String mount = gateway.settings().mount();
      LOG.info(
          "Headrace answers at {}{}/v1/messages",
          event.getServletContext().getContextPath(),
          mount.equals("/") ? "" : mount);
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
    context.addListener(
        new Life(context, settings, ApplicationSettings.classLoader(context), gateway));
  }
}
