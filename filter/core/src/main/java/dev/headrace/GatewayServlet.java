package dev.headrace;

import dev.headrace.chain.FiltersInFront;
import dev.headrace.messages.ApiError;
import dev.headrace.relay.Relay;
import jakarta.servlet.ServletConfig;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRegistration;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The gateway as a servlet, for a mapping such as {@code /claude/*} with async supported.
 * Thread-safe.
 *
 * <p>Made by the container from {@code web.xml}, it reads its settings itself: the file that the
 * init-parameter {@code config} names, else where {@link ApplicationSettings} looks. Made by the
 * application, it uses the given gateway. Either way it closes the gateway in {@link #destroy}.
 * When the settings that it reads say {@code enabled: false}, it answers everything with 503.
 */
public final class GatewayServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  private static final ApiError SWITCHED_OFF =
      new ApiError(503, "api_error", "This gateway is switched off by its settings.", null);

  private transient volatile @Nullable Gateway gateway;
  private transient boolean switchedOff;

  /** For containers: the settings are looked up in {@link #init}. */
  public GatewayServlet() {}

  /**
   * @param gateway answers the requests, and is closed together with this servlet
   */
  public GatewayServlet(Gateway gateway) {
    this.gateway = gateway;
  }

  /** Gives it a gateway before {@link #init}. */
  void answerWith(Gateway started) {
    gateway = started;
  }

  @Override
  public void init(ServletConfig config) throws ServletException {
    super.init(config);
    Gateway running = gateway;
    if (running == null) {
      running = GatewayStart.start(config.getServletContext(), config.getInitParameter("config"));
      gateway = running;
      if (running == null) {
        switchedOff = true;
        return;
      }
    }
    running.standsBehind(filtersInFront(config));
  }

  private static FiltersInFront filtersInFront(ServletConfig config) {
    ServletContext context = config.getServletContext();
    String name = config.getServletName();
    ServletRegistration registration = null;
    try {
      registration = context.getServletRegistration(name);
    } catch (RuntimeException e) {
      // a container that does not tell: then all filters count
    }
    Collection<String> mappings = registration == null ? List.of() : registration.getMappings();
    return FiltersInFront.ofServlet(context, mappings.isEmpty() ? List.of("/*") : mappings, name);
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
    if (switchedOff) {
      Relay.refuse(request, response, SWITCHED_OFF);
      return;
    }
    Gateway running = gateway;
    if (running == null) {
      throw new ServletException("The gateway's servlet was used before init()");
    }
    String prefix = request.getContextPath() + request.getServletPath();
    if (!running.handle(request, response, prefix)) {
      // The raw path does not begin as the container's decoded one does: it was written in a
      // roundabout way.
      response.sendError(HttpServletResponse.SC_NOT_FOUND);
    }
  }

  @Override
  public void destroy() {
    Gateway running = gateway;
    if (running != null) {
      running.close();
    }
  }
}
