package com.example.orders;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Compresses every answer for clients that take gzip. */
public class CompressionFilter implements Filter {

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    String accepted = ((HttpServletRequest) request).getHeader("Accept-Encoding");
    if (accepted == null || !accepted.contains("gzip")) {
      chain.doFilter(request, response);
      return;
    }
    ZippedResponse zipped = new ZippedResponse((HttpServletResponse) response);
    try {
      chain.doFilter(request, zipped);
    } finally {
      zipped.finish();
    }
  }
}
