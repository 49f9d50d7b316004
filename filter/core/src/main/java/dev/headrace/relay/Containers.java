package dev.headrace.relay;

import static java.util.Objects.requireNonNull;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.ServletResponseWrapper;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
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
  private static final String JETTY = "org.eclipse.jetty.";
  private static final String UNDERTOW = "io.undertow.servlet.spec.";

  private static final List<String> OF_THE_JDK = List.of("java.", "javax.", "jdk.", "sun.");

  private static final List<String> OF_CONTAINERS =
      List.of(
          TOMCAT,
          JETTY,
          "org.apache.coyote.",
          "org.apache.tomcat.",
          "io.undertow.",
          "org.xnio.",
          "org.jboss.",
          "org.wildfly.",
          "org.glassfish.grizzly.",
          "com.sun.enterprise.",
          "fish.payara.",
          "com.ibm.",
          "io.openliberty.");

  /** The classes through which a request goes, wherever a build has relocated them. */
  private static final List<String> OURS = ours(Containers.class.getPackageName());

  /** Eight digits of its length and two line ends, at most. */
  private static final int CHUNK_MARKS = 12;

  private static final ReadListener NOBODY =
      new ReadListener() {
        @Override
        public void onDataAvailable() {}

        @Override
        public void onAllDataRead() {}

        @Override
        public void onError(Throwable cause) {}
      };

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
   * Whether a write has failed because its thread was interrupted, and not because the client left.
   * Tomcat looks for that before each write and then goes on as if nothing were ({@code
   * NioChannel.checkInterruptStatus}, seen in 11.0.27): it ends the answer properly.
   */
  static boolean isOfAnInterrupt(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      StackTraceElement[] frames = cause.getStackTrace();
      if (cause instanceof InterruptedException
          || cause instanceof InterruptedIOException
          || cause instanceof ClosedByInterruptException
          || (frames.length > 0 && frames[0].getMethodName().equals("checkInterruptStatus"))) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether a body comes from a stream that a filter has put in the place of the container's. Few
   * of these call a listener: most were written before there was any, and have the body already.
   */
  static boolean isOfAFilter(ServletInputStream in, HttpServletRequest request) {
    ServletRequest own = own(request);
    return own != request
        && !beginning(in.getClass().getName()).equals(beginning(own.getClass().getName()));
  }

  /** The first three parts of a class's name, such as {@code org.eclipse.jetty}. */
  private static String beginning(String className) {
    int end = -1;
    for (int i = 0; i < 3; i++) {
      int dot = className.indexOf('.', end + 1);
      if (dot < 0) {
        break;
      }
      end = dot;
    }
    return end < 0 ? "" : className.substring(0, end);
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
    if (!name.startsWith(JETTY) || !name.endsWith(".HttpOutput")) {
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
   * Whether the container, asked to complete a request now, would read the rest of its body first
   * and hold a thread for it as long as the client likes: Undertow, and so WildFly ({@code
   * ServletInputStreamImpl.close}, seen in 2.3.26). Then the connection is to be dropped behind the
   * answer.
   */
  static boolean waitsForBody(ServletRequest request) {
    Object exchange = undertowExchange(request);
    try {
      return exchange != null
          && !(boolean) exchange.getClass().getMethod("isRequestComplete").invoke(exchange);
    } catch (ReflectiveOperationException | ClassCastException e) {
      LOG.warn("It is not known whether a request has been read", e);
      return false;
    }
  }

  /**
   * Drops the connection behind an answer if a thread would be held for the rest of the request's
   * body otherwise.
   *
   * @param response with all of the answer in it
   */
  static void endUnread(ServletRequest request, ServletResponse response) {
    if (!waitsForBody(request)) {
      return;
    }
    try {
      response.getOutputStream().close();
    } catch (IOException | RuntimeException e) { // a client that has gone, a filter's writer
      LOG.debug("An answer before its request's body could not be ended", e);
    }
    drop(request);
  }

  /**
   * Ends a request that was answered although its body has not come, and whose connection is closed
   * afterwards, so that it holds no thread: Tomcat reads the rest when the request ends, and waits
   * for it up to {@code connectionTimeout}, unless somebody listens to the body ({@code
   * Http11InputBuffer.SocketInputBuffer.doRead}, seen in 11.0.24). A client that still sends may
   * see a reset in the place of the answer. Does nothing elsewhere, and nothing where a filter has
   * laid hands on request or response.
   */
  static void letGoUnread(HttpServletRequest request, HttpServletResponse response) {
    if (!isHttp1(request)
        || !isTomcats(request)
        || !request.isAsyncSupported()
        || request.isAsyncStarted()
        || response instanceof ServletResponseWrapper) {
      return;
    }
    try {
      ServletInputStream in = own(request).getInputStream(); // a filter's might read all at once
      AsyncContext async = request.startAsync(request, response);
      try {
        in.setReadListener(NOBODY);
      } finally {
        async.complete();
      }
    } catch (IOException | RuntimeException e) { // a filter that has read something
      LOG.debug("A body that nobody wants could not be let go", e);
    }
  }

  /**
   * Drops the connection of a request, or resets its stream over HTTP/2, where an exception is not
   * enough: Undertow, and so WildFly, ends the body properly whatever a dispatch throws. Does
   * nothing elsewhere. By reflection, since nothing here knows a container.
   */
  static void drop(ServletRequest request) {
    Object exchange = undertowExchange(request);
    if (exchange == null) {
      return;
    }
    try {
      Object connection = exchange.getClass().getMethod("getConnection").invoke(exchange);
      ((Closeable) connection).close(); // over HTTP/2 there is one such object for each stream
    } catch (ReflectiveOperationException | ClassCastException e) {
      LOG.warn("A connection could not be dropped, so that a cut answer may look complete", e);
    } catch (IOException | RuntimeException e) {
      LOG.debug("A connection to be dropped was gone already", e);
    }
  }

  /**
   * Drops the connection of a request on the thread that the container has given to it, before an
   * exception says the same: a filter may catch that, and Tomcat answers it with an error page of
   * the application ({@code StandardHostValve}), so that the cut answer would be ended properly.
   * Does nothing where it is not known how.
   */
  static void dropHere(HttpServletRequest request) {
    try {
      if (isTomcats(request)) {
        Object response = call(field(own(request), "request"), "getResponse");
        Object coyote = call(response, "getCoyoteResponse");
        Class<?> codes =
            Class.forName(
                "org.apache.coyote.ActionCode", false, coyote.getClass().getClassLoader());
        for (Object code : codes.getEnumConstants()) {
          if (code.toString().equals("CLOSE_NOW")) {
            coyote.getClass().getMethod("action", codes, Object.class).invoke(coyote, code, null);
          }
        }
      } else if (isHttp1(request) && own(request).getClass().getName().startsWith(JETTY)) {
        Object core = call(own(request), "getRequest");
        Object connection = call(call(core, "getConnectionMetaData"), "getConnection");
        ((Closeable) call(connection, "getEndPoint")).close();
      }
    } catch (ReflectiveOperationException | IOException | RuntimeException e) {
      LOG.debug("A connection is left to be dropped by an exception", e);
    }
  }

  private static Object field(Object of, String name) throws ReflectiveOperationException {
    Field field = of.getClass().getDeclaredField(name);
    field.setAccessible(true);
    return requireNonNull(field.get(of));
  }

  /** Calls a method without parameters that some public type of the object declares. */
  private static Object call(Object target, String name) throws ReflectiveOperationException {
    Deque<Class<?>> types = new ArrayDeque<>(List.of(target.getClass()));
    while (!types.isEmpty()) {
      Class<?> type = types.remove();
      if (Modifier.isPublic(type.getModifiers())) {
        try {
          return requireNonNull(type.getMethod(name).invoke(target));
        } catch (NoSuchMethodException e) {
          // one above may have it
        }
      }
      if (type.getSuperclass() != null) {
        types.add(type.getSuperclass());
      }
      types.addAll(List.of(type.getInterfaces()));
    }
    throw new NoSuchMethodException(name);
  }

  /**
   * How an answer whose length is not known is marked as whole. Unless we ask for chunks it ends
   * with its connection, and a cut one looks whole, where that is to be closed: everywhere if a
   * filter says so in the answer, in Jetty and Undertow also if the client says {@code Connection:
   * close} or the server is set to close each connection.
   */
  enum Chunks {
    /** There is nothing to ask for, or it is not known how: HTTP/2, HTTP/1.0, AJP, Open Liberty. */
    UNASKED,
    /** By the header, in every answer: nothing tells beforehand whether one would have them. */
    BY_HEADER,
    /**
     * By trailers, though there are none, where an answer says that its connection is to be closed:
     * Tomcat ({@code Http11Processor.prepareResponse}), and so Payara and GlassFish.
     */
    BY_TRAILERS
  }

  /** How chunks are asked for in an answer to this request. */
  static Chunks chunks(HttpServletRequest request) {
    if (!request.getProtocol().equals("HTTP/1.1")) {
      return Chunks.UNASKED;
    }
    String container = own(request).getClass().getName();
    if (container.startsWith(TOMCAT)) {
      return Chunks.BY_TRAILERS;
    }
    return container.startsWith(JETTY) || (container.startsWith(UNDERTOW) && !isAjp(request))
        ? Chunks.BY_HEADER
        : Chunks.UNASKED;
  }

  /** Whether a request to Undertow has come by AJP, which frames the answer in its own way. */
  private static boolean isAjp(HttpServletRequest request) {
    Object exchange = undertowExchange(request);
    if (exchange == null) {
      return false;
    }
    try {
      return call(call(exchange, "getConnection"), "getTransportProtocol").equals("ajp");
    } catch (ReflectiveOperationException | RuntimeException e) {
      LOG.warn("Undertow does not say by which protocol a request has come", e);
      return true;
    }
  }

  /**
   * Asks for chunks where they would be missing.
   *
   * @param response with all its headers, none of which is its length
   */
  static void askFor(Chunks chunks, HttpServletResponse response) {
    if (chunks == Chunks.BY_HEADER) {
      response.setHeader("Transfer-Encoding", "chunked");
    } else if (chunks == Chunks.BY_TRAILERS && saysClose(response.getHeaders("Connection"))) {
      try {
        response.setTrailerFields(Map::of);
      } catch (IllegalStateException e) {
        // AJP has a framing of its own, and no trailers
      }
    }
  }

  private static boolean saysClose(@Nullable Collection<String> connection) {
    return connection != null
        && connection.stream().anyMatch(line -> line.toLowerCase(Locale.ROOT).contains("close"));
  }

  /** Whether a container can tell the client that an answer is not whole. */
  boolean cuts(HttpServletRequest request) {
    // HTTP/1.0 ends every answer with its connection.
    return !request.getProtocol().equals("HTTP/1.0")
        && dropConnections(request.getServletContext());
  }

  /**
   * Sees to it that text in UTF-8 is called so: to a content type without a charset containers add
   * the one that a filter in front has set for its pages.
   */
  static void labelUtf8(HttpServletResponse response, String contentType) {
    String type = contentType.toLowerCase(Locale.ROOT);
    if (type.contains("charset") || !(type.contains("json") || type.startsWith("text/"))) {
      return;
    }
    String label = response.getContentType();
    String added = label == null ? "" : label.toLowerCase(Locale.ROOT);
    if (added.contains("charset=") && !added.contains("charset=utf-8")) {
      response.setCharacterEncoding("UTF-8");
    }
  }

  /**
   * Whether an exception that a container reports comes from the application, such as a filter, and
   * not from the container, which reports so what it does not understand of a client. What a
   * container tells of a client does not run through an application, unless this reads or writes
   * when the client leaves: so whoever makes an {@link IOException} counts, and of others whoever
   * is on the stack, since a container also complains of what a filter does.
   */
  static boolean isOfTheApplication(Throwable reported) {
    Throwable failure = reported;
    boolean anywhere = !(failure instanceof IOException);
    // A filter may have put its own around it; ten times, for causes may go round in a circle.
    for (int i = 0; i < 10 && !anywhere && failure.getCause() instanceof IOException e; i++) {
      failure = e;
    }
    for (StackTraceElement frame : failure.getStackTrace()) {
      String name = frame.getClassName();
      if (startsWithAny(name, OF_THE_JDK)) {
        continue;
      }
      if (!startsWithAny(name, OF_CONTAINERS) && !startsWithAny(name, OURS)) {
        return true;
      }
      if (!anywhere) {
        return false;
      }
    }
    return false;
  }

  private static List<String> ours(String relay) {
    return List.of(relay + ".", relay.substring(0, relay.lastIndexOf('.')) + ".Gateway");
  }

  private static boolean startsWithAny(String name, List<String> beginnings) {
    for (String beginning : beginnings) {
      if (name.startsWith(beginning)) {
        return true;
      }
    }
    return false;
  }

  /** The exchange behind a request of Undertow's; null elsewhere. */
  private static @Nullable Object undertowExchange(ServletRequest request) {
    ServletRequest own = own(request);
    if (!own.getClass().getName().startsWith(UNDERTOW)) {
      return null;
    }
    try {
      return own.getClass().getMethod("getExchange").invoke(own);
    } catch (ReflectiveOperationException e) {
      LOG.warn("Undertow has no exchange behind its request", e);
      return null;
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
