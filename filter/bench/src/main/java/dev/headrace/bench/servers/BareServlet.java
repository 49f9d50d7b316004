package dev.headrace.bench.servers;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Future;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncResponseConsumer;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.util.TimeValue;
import org.jspecify.annotations.Nullable;

/**
 * A plain servlet that relays an answer with Servlet non-blocking I/O and Apache HttpClient: a
 * yardstick for what the features of a gateway cost that is built of these. It knows no keys,
 * limits, usage, clocks, retries and no back pressure, and tells errors to nobody; nothing to be
 * used elsewhere.
 */
final class BareServlet extends HttpServlet {

  private static final long serialVersionUID = 1;
  private static final int CONNECTIONS = 20_000;

  private final int upstreamPort;
  private final transient CloseableHttpAsyncClient client;

  /** Starts the client's threads; they end with the process. */
  BareServlet(int upstreamPort) {
    this.upstreamPort = upstreamPort;
    client =
        HttpAsyncClients.custom()
            .setConnectionManager(
                PoolingAsyncClientConnectionManagerBuilder.create()
                    .setMaxConnTotal(CONNECTIONS)
                    .setMaxConnPerRoute(CONNECTIONS)
                    .build())
            .setDefaultRequestConfig(
                RequestConfig.custom().setConnectionKeepAlive(TimeValue.ofHours(1)).build())
            .disableAutomaticRetries()
            .disableRedirectHandling()
            .disableCookieManagement()
            .disableAuthCaching()
            .disableConnectionState()
            .disableContentCompression()
            .build();
    client.start();
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    AsyncContext async = request.startAsync();
    async.setTimeout(0);
    Passage passage = new Passage(async, request, response);
    request.getInputStream().setReadListener(passage);
  }

  /** One request and its answer. The lock keeps the I/O thread and the container's apart. */
  private final class Passage implements ReadListener, WriteListener, AsyncResponseConsumer<Void> {

    private final AsyncContext async;
    private final HttpServletRequest request;
    private final HttpServletResponse response;
    private final ServletInputStream in;
    private final ServletOutputStream out;
    private final byte[] part = new byte[4096];
    private final ByteArrayOutputStream body = new ByteArrayOutputStream(512);

    // Guarded by this.
    private ByteArrayOutputStream waiting = new ByteArrayOutputStream(512);
    private boolean writable;
    private boolean unflushed;
    private boolean ended;
    private boolean over;

    private @Nullable FutureCallback<Void> result; // I/O thread only

    Passage(AsyncContext async, HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      this.async = async;
      this.request = request;
      this.response = response;
      this.in = request.getInputStream();
      this.out = response.getOutputStream();
    }

    @Override
    public void onDataAvailable() throws IOException {
      while (in.isReady() && !in.isFinished()) {
        int count = in.read(part);
        if (count > 0) {
          body.write(part, 0, count);
        }
      }
    }

    @Override
    public void onAllDataRead() throws IOException {
      out.setWriteListener(this);
      BasicHttpRequest head =
          new BasicHttpRequest(
              request.getMethod(),
              new HttpHost("http", "127.0.0.1", upstreamPort),
              request.getRequestURI());
      Future<Void> unused =
          client.execute(
              new BasicRequestProducer(
                  head,
                  new BasicAsyncEntityProducer(body.toByteArray(), ContentType.APPLICATION_JSON)),
              this,
              HttpClientContext.create(),
              null);
    }

    @Override
    public void onWritePossible() throws IOException {
      synchronized (this) {
        writable = true;
        drain();
      }
    }

    private void drain() throws IOException {
      while (writable && !over && out.isReady()) {
        if (waiting.size() > 0) {
          byte[] bytes = waiting.toByteArray();
          waiting = new ByteArrayOutputStream(512);
          out.write(bytes); // the container's until it is ready again
          unflushed = true;
        } else if (unflushed) {
          unflushed = false;
          out.flush();
        } else {
          if (ended) {
            over = true;
            async.complete();
          }
          return;
        }
      }
    }

    @Override
    public void onError(Throwable failure) {
      synchronized (this) {
        if (!over) {
          over = true;
          async.complete();
        }
      }
    }

    @Override
    public void consumeResponse(
        HttpResponse answer,
        @Nullable EntityDetails entity,
        HttpContext context,
        FutureCallback<Void> callback) {
      result = callback;
      response.setStatus(answer.getCode());
      response.setContentType(answer.getFirstHeader("content-type").getValue());
    }

    @Override
    public void informationResponse(HttpResponse answer, HttpContext context) {
      // the benchmark's upstream sends none
    }

    @Override
    public void updateCapacity(CapacityChannel channel) throws IOException {
      channel.update(Integer.MAX_VALUE);
    }

    @Override
    public void consume(ByteBuffer bytes) throws IOException {
      synchronized (this) {
        while (bytes.hasRemaining()) {
          int count = Math.min(part.length, bytes.remaining());
          bytes.get(part, 0, count);
          waiting.write(part, 0, count);
        }
        drain();
      }
    }

    @Override
    public void streamEnd(@Nullable List<? extends Header> trailers) throws IOException {
      FutureCallback<Void> callback = result;
      if (callback != null) {
        callback.completed(null);
      }
      synchronized (this) {
        ended = true;
        drain();
      }
    }

    @Override
    public void failed(Exception cause) {
      onError(cause);
    }

    @Override
    public void releaseResources() {
      // nothing is held
    }
  }
}
