package dev.headrace.bench.clients;

import dev.headrace.config.GatewaySettings;
import dev.headrace.upstream.Attempt;
import dev.headrace.upstream.AttemptListener;
import dev.headrace.upstream.HeaderField;
import dev.headrace.upstream.UpstreamClient;
import dev.headrace.upstream.UpstreamFailure;
import dev.headrace.upstream.UpstreamFailure.Kind;
import dev.headrace.upstream.UpstreamRequest;
import dev.headrace.upstream.UpstreamResponseHead;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.client.ByteBufferRequestContent;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.Result;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/** The upstream over Jetty's client, HTTP/1.1. */
public final class JettyUpstreamClient implements UpstreamClient {

  private final HttpClient client = new HttpClient();
  private final long initialCredit;
  private final AtomicInteger running = new AtomicInteger();

  /** Starts the client's threads. */
  public JettyUpstreamClient(GatewaySettings settings) {
    initialCredit = settings.buffers().soft().toInt();
    QueuedThreadPool threads = new QueuedThreadPool(16, 4);
    threads.setName("headrace-upstream");
    threads.setDaemon(true);
    client.setExecutor(threads);
    client.setFollowRedirects(false);
    client.setUserAgentField(null);
    client.setConnectTimeout(settings.timeouts().connect().toMillis());
    client.setIdleTimeout(0);
    client.setMaxConnectionsPerDestination(settings.upstream().maxConnections());
    try {
      client.start();
    } catch (Exception e) {
      throw new IllegalStateException("Jetty's client does not start", e);
    }
    client.getContentDecoderFactories().clear();
  }

  @Override
  public Attempt start(UpstreamRequest request, AttemptListener listener) {
    Request head =
        client
            .newRequest(request.origin().resolve(request.pathAndQuery()))
            .method(request.method())
            .headers(
                fields -> {
                  for (HeaderField field : request.headers()) {
                    // The content brings its own.
                    if (!field.is(HttpHeader.CONTENT_TYPE.asString())) {
                      fields.add(field.name(), field.value());
                    }
                  }
                });
    byte[] bytes = request.body();
    if (bytes != null) {
      head.body(
          new ByteBufferRequestContent(
              contentType(request), ByteBuffer.wrap(bytes, 0, request.bodyLength())));
    }
    Exchange exchange = new Exchange(head, listener);
    running.incrementAndGet();
    head.onResponseHeaders(exchange::head)
        .onResponseContentAsync(exchange::content)
        .send(exchange::end);
    return exchange;
  }

  private static String contentType(UpstreamRequest request) {
    for (HeaderField field : request.headers()) {
      if (field.is(HttpHeader.CONTENT_TYPE.asString())) {
        return field.value();
      }
    }
    return "application/json";
  }

  @Override
  public int connectionsInUse() {
    return running.get();
  }

  @Override
  public void closeExpired() {
    // Jetty's client does so itself.
  }

  @Override
  public void close() {
    try {
      client.stop();
    } catch (Exception e) {
      throw new IllegalStateException("Jetty's client does not stop", e);
    }
  }

  private final class Exchange implements Attempt {

    private final Request request;
    private final AttemptListener listener;
    private final Credit credit = new Credit(initialCredit);
    private volatile boolean cancelled;
    private volatile boolean responding;
    private volatile @Nullable Runnable demand;

    Exchange(Request request, AttemptListener listener) {
      this.request = request;
      this.listener = listener;
    }

    void head(Response response) {
      List<HeaderField> fields = new ArrayList<>();
      for (HttpField field : response.getHeaders()) {
        String value = field.getValue() == null ? "" : field.getValue();
        if (HeaderField.isValid(field.getName(), value)) {
          fields.add(new HeaderField(field.getName(), value));
        }
      }
      responding = true;
      listener.onHead(new UpstreamResponseHead(response.getStatus(), fields));
    }

    void content(Response response, Content.Chunk chunk, Runnable demander) {
      ByteBuffer bytes = chunk.getByteBuffer();
      credit.use(bytes.remaining());
      demand = demander; // before it is known that reading waits
      if (bytes.hasRemaining()) {
        listener.onBytes(bytes);
        listener.onPause();
      }
      if (credit.readOn()) {
        demander.run();
      }
    }

    void end(Result result) {
      running.decrementAndGet();
      Throwable failure = result.getFailure();
      if (failure == null) {
        listener.onEnd();
        return;
      }
      Kind kind =
          cancelled
              ? Kind.CANCELLED
              : responding
                  ? Kind.CUT
                  : failure instanceof ConnectException ? Kind.CONNECT : Kind.NO_RESPONSE;
      listener.onFailure(new UpstreamFailure(kind, failure.getClass().getSimpleName()));
    }

    @Override
    public void grant(int bytes) {
      Runnable waiting = demand;
      if (credit.grant(bytes) && waiting != null) {
        waiting.run();
      }
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // end() is told
    public void cancel() {
      cancelled = true;
      request.abort(new CancellationException());
    }
  }
}
