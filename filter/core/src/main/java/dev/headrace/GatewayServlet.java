package dev.headrace;

import jakarta.servlet.ServletConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The gateway as a servlet, for a mapping such as {@code /claude/*} with async supported.
 * Thread-safe.
 *
 * <p>Made by the container from {@code web.xml}, it reads its settings itself: the file that the
 * init-parameter {@code config} names, else where {@link ApplicationSettings} looks. Made by the
 * application, it uses the given gateway. Either way it closes the gateway in {@link #destroy}.
 */
public final class GatewayServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  private transient @Nullable Gateway gateway;

  /** For containers: the settings are looked up in {@link #init}. */
  public GatewayServlet() {}

  /**
   * @param gateway answers the requests, and is closed together with this servlet
   */
  public GatewayServlet(Gateway gateway) {
    this.gateway = gateway;
  }

  @Override
  public void init(ServletConfig config) throws ServletException {
    super.init(config);
    if (gateway == null) {
      gateway = GatewayStart.start(config.getServletContext(), config.getInitParameter("config"));
    }
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
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
