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
import java.util.ServiceConfigurationError;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway as a servlet, for a mapping such as {@code /claude/*} with async supported.
 * Thread-safe.
 *
 * <p>Made by the container from {@code web.xml}, it reads its settings itself: the file that the
 * init-parameter {@code config} names, else where {@link ApplicationSettings} looks. Made by the
 * application, it uses the given gateway. Either way it closes the gateway in {@link #destroy}.
 * When the settings that it reads say {@code enabled: false} or are wrong, it answers everything
 * with 503; the log says why.
 */
public final class GatewayServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  /** Of settings that say nothing of it, so that nobody expects the gateway there. */
  private static final String DEFAULT_MOUNT = "/claude";

  private static final ApiError SWITCHED_OFF =
      refusal("This gateway is switched off by its settings.");

  private static final ApiError NOT_STARTED =
      refusal("This gateway did not start; the server's log says why.");

  private static final Logger LOG = LoggerFactory.getLogger(GatewayServlet.class);

  private transient volatile @Nullable Gateway gateway;

  /** Where the settings come from, if it was the jar that has registered this servlet. */
  private transient volatile @Nullable String source;

  private transient @Nullable ApiError refusal; // the answer to everything, where no gateway runs

  /** For containers: the settings are looked up in {@link #init}. */
  public GatewayServlet() {}

  /**
   * @param gateway answers the requests, and is closed together with this servlet
   */
  public GatewayServlet(Gateway gateway) {
    this.gateway = gateway;
  }

  private static ApiError refusal(String message) {
    return new ApiError(503, "api_error", message, null);
  }

  /** Gives it a gateway before {@link #init}, for {@link GatewayInitializer}. */
  void answerWith(Gateway started, String sourceOfSettings) {
    gateway = started;
    source = sourceOfSettings;
  }

  @Override
  public void init(ServletConfig config) throws ServletException {
    super.init(config);
    String itself = source;
    if (itself != null) {
      refuseAnother(config.getServletContext(), itself);
    }
    Gateway running = gateway;
    if (running == null) {
      running = start(config);
      gateway = running;
    }
    if (running != null) {
      Collection<String> mappings = mappings(config);
      if (itself == null) {
        tellWhere(config, mappings, running.settings().mount());
      }
      running.standsBehind(
          FiltersInFront.ofServlet(
              config.getServletContext(),
              mappings.isEmpty() ? List.of("/*") : mappings,
              config.getServletName()));
    }
  }

  private void refuseAnother(ServletContext context, String sourceOfSettings) {
    try {
      GatewayInitializer.refuseAnother(context, sourceOfSettings);
    } catch (UnsupportedOperationException e) {
      // a container that does not tell
    } catch (IllegalStateException e) {
      destroy(); // which no container calls for a servlet that did not start
      throw e;
    }
  }

  /**
   * Starts a gateway from settings. What is wrong is not thrown: some containers would start the
   * application all the same, and show it to whoever asks.
   */
  private @Nullable Gateway start(ServletConfig config) {
    try {
      Gateway started =
          GatewayStart.start(config.getServletContext(), config.getInitParameter("config"));
      refusal = started == null ? SWITCHED_OFF : null;
      return started;
    } catch (ServletException e) {
      LOG.error("{}\nIts servlet answers every request with 503", e.getMessage());
    } catch (RuntimeException | ServiceConfigurationError e) {
      LOG.error("Headrace does not start; its servlet answers every request with 503", e);
    }
    refusal = NOT_STARTED;
    return null;
  }

  /** Says where it answers: its mapping does not follow {@code mount}. */
  private static void tellWhere(ServletConfig config, Collection<String> mappings, String mount) {
    for (String mapping : mappings) {
      if (!mapping.endsWith("/*")) {
        LOG.warn(
            "The servlet {} is mapped to {}, below which nothing reaches it. Map it to a path with /*"
                + " at its end, such as /claude/*",
            config.getServletName(),
            mapping);
        continue;
      }
      String path = mapping.substring(0, mapping.length() - 2);
      LOG.info(
          "Headrace answers at {}{}/v1/messages",
          config.getServletContext().getContextPath(),
          path);
      if (!mount.equals(DEFAULT_MOUNT) && !mount.equals(path.isEmpty() ? "/" : path)) {
        LOG.warn(
            "mount is {}, but the servlet {} is mapped to {} and answers there: mount is for the"
                + " filter, and where the gateway registers itself",
            mount,
            config.getServletName(),
            mapping);
      }
    }
  }

  /** The paths of this servlet; none where the container does not tell. */
  private static Collection<String> mappings(ServletConfig config) {
    ServletRegistration registration = null;
    try {
      registration = config.getServletContext().getServletRegistration(config.getServletName());
    } catch (RuntimeException e) {
      // a container that does not tell
    }
    return registration == null ? List.of() : registration.getMappings();
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
    ApiError instead = refusal;
    if (instead != null) {
      Relay.refuse(request, response, instead);
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
