package com.example.orders;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Logs each request when it is through, with what others have noted for this thread. */
public class LoggingFilter implements Filter {

  private static final ThreadLocal<String> CONTEXT = new ThreadLocal<>();

  /** What is noted for this thread. */
  public static String context() {
    return CONTEXT.get();
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    HttpServletRequest http = (HttpServletRequest) request;
    long start = System.currentTimeMillis();
    CONTEXT.set(http.getMethod() + " " + http.getRequestURI());
    try {
      chain.doFilter(request, response);
    } finally {
      int status = ((HttpServletResponse) response).getStatus();
      http.getServletContext()
          .log(CONTEXT.get() + " " + status + " " + (System.currentTimeMillis() - start) + " ms");
      CONTEXT.remove();
    }
  }
}
