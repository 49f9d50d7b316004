package dev.headrace.relay;

import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.ServletResponse;
import java.io.Closeable;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What containers do in ways of their own where Servlet leaves it open: the one place that knows
 * them by name. Thread-safe.
 */
final class Containers {

  private static final Logger LOG = LoggerFactory.getLogger(Containers.class);

  /** Parts of {@link ServletContext#getServerInfo}, in lower case. */
  private static final String[] OPEN_LIBERTY = {"websphere", "liberty"};

  private static final String[] GRIZZLY = {"payara", "glassfish"};
  private static final String[] JETTY = {"jetty"};
  private static final String UNDERTOW = "io.undertow.servlet.spec.";

  /** Most that Jetty is to keep for a response; it writes more than this in pieces of this size. */
  private static final int KEPT_BYTES = 8 * 1024;

  // The first request decides for all.
  private volatile @Nullable Boolean dropsConnections;
  private volatile @Nullable Boolean callsReadListeners;
  private volatile @Nullable Boolean keepsBuffers;

  /** Blocks in {@code write()} although it said that it was ready. */
  static boolean isOpenLiberty(@Nullable String serverInfo) {
    return namesOneOf(OPEN_LIBERTY, serverInfo);
  }

  private static boolean namesOneOf(String[] names, @Nullable String serverInfo) {
    String server = serverInfo == null ? "" : serverInfo.toLowerCase(Locale.ROOT);
    for (String name : names) {
      if (server.contains(name)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether a connection can be dropped in mid-answer. Payara ends the answer properly in any case,
   * and Open Liberty with the text of an error page in it.
   */
  boolean dropConnections(ServletContext context) {
    Boolean known = dropsConnections;
    if (known == null) {
      String server = context.getServerInfo();
      known = !isOpenLiberty(server) && !namesOneOf(GRIZZLY, server);
      dropsConnections = known;
    }
    return known;
  }

  /**
   * Whether a body can be read through a listener. Payara 6 (Grizzly) mostly never calls one whose
   * body is already there when it is set.
   */
  boolean callReadListeners(ServletContext context) {
    Boolean known = callsReadListeners;
    if (known == null) {
      known = !namesOneOf(GRIZZLY, context.getServerInfo());
      callsReadListeners = known;
    }
    return known;
  }

  /**
   * Makes a response hold less memory while it is open. Jetty 12 keeps the buffer that it gathers
   * small writes in until the response ends, 32 KiB outside of the heap by default, of which there
   * is as much as of the heap unless -XX:MaxDirectMemorySize says otherwise. Elsewhere buffers are
   * smaller, or go back after a flush.
   */
  void spareBuffer(ServletContext context, ServletResponse response) {
    Boolean known = keepsBuffers;
    if (known == null) {
      known = namesOneOf(JETTY, context.getServerInfo());
      keepsBuffers = known;
    }
    if (known && response.getBufferSize() > KEPT_BYTES && !response.isCommitted()) {
      try {
        response.setBufferSize(KEPT_BYTES);
      } catch (IllegalStateException e) {
        LOG.debug("A filter has written already, so the response keeps its buffer");
      }
    }
  }

  /**
   * Drops the connection of a request, or resets its stream over HTTP/2, where an exception is not
   * enough: Undertow, and so WildFly, ends the body properly whatever a dispatch throws. Does
   * nothing elsewhere. By reflection, since nothing here knows a container.
   */
  static void drop(ServletRequest request) {
    ServletRequest own = request;
    while (own instanceof ServletRequestWrapper wrapper) {
      own = wrapper.getRequest();
    }
    if (!own.getClass().getName().startsWith(UNDERTOW)) {
      return;
    }
    try {
      Object exchange = own.getClass().getMethod("getExchange").invoke(own);
      Object connection = exchange.getClass().getMethod("getConnection").invoke(exchange);
      ((Closeable) connection).close(); // over HTTP/2 there is one such object for each stream
    } catch (ReflectiveOperationException | ClassCastException e) {
      LOG.warn("A connection could not be dropped, so that a cut answer may look complete", e);
    } catch (IOException | RuntimeException e) {
      LOG.debug("A connection to be dropped was gone already", e);
    }
  }
}
