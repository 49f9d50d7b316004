package dev.headrace.relay;

import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import java.io.Closeable;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Map;
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
  private static final String TOMCAT = "org.apache.catalina.";
  private static final String UNDERTOW = "io.undertow.servlet.spec.";

  /** Eight digits of its length and two line ends, at most. */
  private static final int CHUNK_MARKS = 12;

  // The first request decides for all.
  private volatile @Nullable Boolean blocksInWrites;
  private volatile @Nullable Boolean dropsConnections;
  private volatile @Nullable Boolean callsReadListeners;

  /** The write of Jetty's streams by their class; in one application they are of one. */
  private volatile Map.@Nullable Entry<Class<?>, MethodHandle> jettyWrite;

  /**
   * Whether {@code write()} may block although the stream said that it was ready. In Open Liberty
   * it always may. In Tomcat it may over HTTP/2: {@code isReady()} knows the windows of HTTP/2
   * alone, and a frame is written to the socket in blocking mode, for as long as the {@code
   * writeTimeout} of the upgrade protocol, 5 s by default ({@code
   * Http2AsyncUpgradeHandler.writeBody}, seen in 11.0.27 with a client of large windows that reads
   * nothing).
   */
  boolean blockInWrites(HttpServletRequest request) {
    Boolean always = blocksInWrites;
    if (always == null) {
      always = isOpenLiberty(request.getServletContext().getServerInfo());
      blocksInWrites = always;
    }
    return always || (!isHttp1(request) && isTomcats(request));
  }

  /**
   * Whether a write that is interrupted ends no more than its own answer. Tomcat takes it for a
   * broken connection, and over HTTP/2 that has other answers; the {@code writeTimeout} of the
   * upgrade protocol ends the write there.
   */
  static boolean interruptsEndOneAnswer(HttpServletRequest request) {
    return isHttp1(request) || !isTomcats(request);
  }

  /** Whether one request has a connection to itself while it runs. */
  static boolean isHttp1(ServletRequest request) {
    return request.getProtocol().startsWith("HTTP/1");
  }

  /** Payara and GlassFish call their classes alike, and have another server below them. */
  private static boolean isTomcats(HttpServletRequest request) {
    return own(request).getClass().getName().startsWith(TOMCAT)
        && !namesOneOf(GRIZZLY, request.getServletContext().getServerInfo());
  }

  private static boolean isOpenLiberty(@Nullable String serverInfo) {
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
   * Whether the container may forget a body that comes while it is asked to listen, over HTTP/2.
   * Tomcat reads frames on one thread and asks on another whether a body has been read, first for
   * waiting bytes and then for the end of the stream: when both come between the two questions, the
   * answer is yes ({@code Stream.isRequestBodyFullyRead}, seen in 11.0.24 with a few of 800,000
   * requests on a busy machine). Then it never calls, or calls the body complete without it.
   */
  static boolean forgetsBody(ServletInputStream in) {
    return in.getClass().getName().startsWith(TOMCAT);
  }

  /**
   * The write of a container's stream that gathers nothing, for {@link #write}; null where bytes
   * are written as Servlet 5 has it. Jetty 12 gathers small writes in a buffer that it keeps until
   * the response ends, 32 KiB outside of the heap by default, of which there is as much as of the
   * heap unless -XX:MaxDirectMemorySize says otherwise; its {@code write(ByteBuffer)}, that of
   * Servlet 6.1, does not. Elsewhere buffers are smaller, or go back after a flush.
   */
  @Nullable MethodHandle bufferWrite(ServletOutputStream out) {
    Class<?> type = out.getClass();
    String name = type.getName();
    if (!name.startsWith("org.eclipse.jetty.") || !name.endsWith(".HttpOutput")) {
      return null;
    }
    Map.Entry<Class<?>, MethodHandle> known = jettyWrite;
    if (known != null && known.getKey() == type) {
      return known.getValue();
    }
    try {
      MethodHandle write =
          MethodHandles.publicLookup()
              .findVirtual(type, "write", MethodType.methodType(void.class, ByteBuffer.class))
              .asType(
                  MethodType.methodType(void.class, ServletOutputStream.class, ByteBuffer.class));
      jettyWrite = Map.entry(type, write);
      return write;
    } catch (ReflectiveOperationException e) {
      LOG.debug("Jetty's stream cannot be asked to keep no buffer", e);
      return null;
    }
  }

  /**
   * How many bytes to write between two flushes, so that they fit into the container's buffer, the
   * marks of their chunk included. Of a longer write Tomcat keeps a rest, is not ready because of
   * it, and calls back on another thread although the client could take all.
   */
  static int pieceBytes(ServletResponse response) {
    int buffer = response.getBufferSize();
    return buffer > 2 * CHUNK_MARKS ? buffer - CHUNK_MARKS : Integer.MAX_VALUE;
  }

  /**
   * Writes bytes of an array, which in non-blocking mode belongs to the container until it says
   * again that it is ready.
   *
   * @param bufferWrite of {@link #bufferWrite} for this stream
   */
  static void write(
      @Nullable MethodHandle bufferWrite,
      ServletOutputStream out,
      byte[] bytes,
      int offset,
      int length)
      throws IOException {
    if (bufferWrite == null) {
      out.write(bytes, offset, length);
      return;
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
    try {
      bufferWrite.invokeExact(out, buffer);
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IOException(e); // it declares no other
    }
  }

  /**
   * Drops the connection of a request, or resets its stream over HTTP/2, where an exception is not
   * enough: Undertow, and so WildFly, ends the body properly whatever a dispatch throws. Does
   * nothing elsewhere. By reflection, since nothing here knows a container.
   */
  static void drop(ServletRequest request) {
    ServletRequest own = own(request);
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

  /** The container's own request, without what filters have put around it. */
  private static ServletRequest own(ServletRequest request) {
    ServletRequest own = request;
    while (own instanceof ServletRequestWrapper wrapper) {
      own = wrapper.getRequest();
    }
    return own;
  }
}
