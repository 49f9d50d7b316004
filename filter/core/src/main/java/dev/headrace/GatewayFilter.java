package dev.headrace;

import dev.headrace.chain.FiltersInFront;
import dev.headrace.relay.RawPath;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway as a filter: answers what lies under the settings' {@code mount} and passes on
 * everything else, and also the client for pages, which the container serves from this jar. Map it
 * to {@code /*} with async supported and the dispatchers {@code REQUEST} and {@code ASYNC} (the
 * second is how a connection with a cut answer is dropped), behind the filters that log users in.
 * Thread-safe.
 *
 * <p>Finds its settings and closes its gateway as {@link GatewayServlet} does. When they say {@code
 * enabled: false}, it passes on everything.
 */
public final class GatewayFilter implements Filter {

  /**
   * What the container serves from {@code META-INF/resources} of this jar (Servlet 5.0, 4.6). With
   * a mount of {@code /} or {@code /headrace} it would lie under the mount.
   */
  private static final Set<String> CLIENT_FOR_PAGES =
      Set.of("/headrace/headrace.js", "/headrace/headrace.d.ts");

  private static final Logger LOG = LoggerFactory.getLogger(GatewayFilter.class);

  private @Nullable Gateway gateway; // null also while it is switched off

  /** For containers: the settings are looked up in {@link #init}. */
  public GatewayFilter() {}

  /**
   * @param gateway answers the requests, and is closed together with this filter
   */
  public GatewayFilter(Gateway gateway) {
    this.gateway = gateway;
  }

  @Override
  public void init(FilterConfig config) throws ServletException {
    Gateway running = gateway;
    if (running == null) {
      running = GatewayStart.start(config.getServletContext(), config.getInitParameter("config"));
      gateway = running;
      if (running == null) {
        return;
      }
    }
    if (FiltersInFront.missesDispatches(config.getServletContext(), config.getFilterName())) {
      LOG.warn(
          "web.xml maps the filter {} without <dispatcher>ASYNC</dispatcher>: an answer that breaks"
              + " off can look complete, with a page of the application behind it. Add it, and"
              + " <dispatcher>REQUEST</dispatcher>.",
          config.getFilterName());
    }
    String mount = running.settings().mount();
    LOG.info(
        "Headrace answers at {}{}/v1/messages",
        config.getServletContext().getContextPath(),
        mount.equals("/") ? "" : mount);
    running.standsBehind(
        FiltersInFront.ofFilter(
            config.getServletContext(),
            mount.equals("/") ? "/*" : mount + "/*",
            config.getFilterName()));
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    Gateway running = gateway;
    if (running != null
        && request instanceof HttpServletRequest httpRequest
        && response instanceof HttpServletResponse httpResponse) {
      String mount = running.settings().mount();
      String prefix = httpRequest.getContextPath() + (mount.equals("/") ? "" : mount);
      if (!isClientForPages(httpRequest) && running.handle(httpRequest, httpResponse, prefix)) {
        return;
      }
    }
    chain.doFilter(request, response);
  }

  private static boolean isClientForPages(HttpServletRequest request) {
    String method = request.getMethod();
    if (!method.equals("GET") && !method.equals("HEAD")) {
      return false;
    }
    String path = RawPath.of(request);
    int parameters = path.indexOf(';'); // such as ;jsessionid=…, where cookies are off
    String plain = parameters < 0 ? path : path.substring(0, parameters);
    String context = request.getContextPath();
    return plain.startsWith(context)
        && CLIENT_FOR_PAGES.contains(plain.substring(context.length()));
  }

  @Override
  public void destroy() {
    Gateway running = gateway;
    if (running != null) {
      running.close();
    }
  }
}
