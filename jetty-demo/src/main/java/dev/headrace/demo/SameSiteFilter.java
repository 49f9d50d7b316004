package dev.headrace.demo;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/**
 * Keeps other web sites from spending the tokens of whoever runs the demo: their pages could post
 * to localhost from the same browser. Programs other than browsers do not send the header and pass;
 * nor do browsers to a server without https that is not called localhost, which is for {@link
 * LocalHostFilter}.
 */
final class SameSiteFilter extends HttpFilter {
  private static final long serialVersionUID = 1L;

  @Override
  protected void doFilter(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    String site = request.getHeader("Sec-Fetch-Site");
    if (site == null || site.equals("same-origin") || site.equals("none")) {
      chain.doFilter(request, response);
      return;
    }
    response.setStatus(HttpServletResponse.SC_FORBIDDEN);
    response.setContentType("application/json");
    response
        .getWriter()
        .write(
            "{\"type\":\"error\",\"error\":{\"type\":\"permission_error\",\"message\":"
                + "\"The demo answers its own page only, not those of other sites.\"}}");
  }
}
