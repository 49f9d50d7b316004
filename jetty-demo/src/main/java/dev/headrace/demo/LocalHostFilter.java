package dev.headrace.demo;

import dev.headrace.config.AddressBlock;
import dev.headrace.config.IpAddress;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/**
 * Answers only requests that were meant for this machine by name. Without it a page of another site
 * could let its own name point here (DNS rebinding): to the browser that is the page's own server,
 * so it reads the answers and need not send {@code Sec-Fetch-Site}. Thread-safe.
 */
final class LocalHostFilter extends HttpFilter {
  private static final long serialVersionUID = 1L;

  private static final List<AddressBlock> LOOPBACK =
      List.of(AddressBlock.parse("127.0.0.0/8"), AddressBlock.parse("::1"));

  /** Misdirected Request (RFC 9110, 15.5.20), which the Servlet API has no name for. */
  private static final int MISDIRECTED = 421;

  @Override
  protected void doFilter(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (isLocal(request.getServerName())) {
      chain.doFilter(request, response);
      return;
    }
    PageServlet.addSecurityHeaders(response);
    response.setStatus(MISDIRECTED);
    response.setContentType("text/plain; charset=utf-8");
    response
        .getWriter()
        .write(
            """
            The demo is for this machine alone: open http://localhost:%d/

            For other names set HEADRACE_DEMO_HOST to the address to listen on, such as 0.0.0.0 for
            all of them. Whoever can reach it can then use it.
            """
                .formatted(request.getLocalPort()));
  }

  /** Names below localhost never leave a machine (RFC 6761, 6.3). */
  private static boolean isLocal(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    return name.equals("localhost")
        || name.endsWith(".localhost")
        || AddressBlock.anyContains(LOOPBACK, IpAddress.parse(name));
  }
}
