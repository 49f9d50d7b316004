package dev.headrace.upstream;

import dev.headrace.config.GatewaySettings;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.SchemePortResolver;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.client5.http.nio.AsyncClientConnectionOperator;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.client5.http.ssl.ClientTlsStrategyBuilder;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.message.BasicHeader;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncRequestProducer;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.nio.ssl.TlsStrategy;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http2.HttpVersionPolicy;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The upstream over Apache HttpClient 5, HTTP/1.1: one connection per running attempt, so that
 * closing it cancels that attempt and no other (HTTP/2 of 5.6 cannot cancel one stream). Everything
 * the client would do on its own is off: retries, redirects, cookies, authentication caches,
 * decompression. Thread-safe.
 */
public final class ApacheUpstreamClient implements UpstreamClient {

  private static final Logger LOG = LoggerFactory.getLogger(ApacheUpstreamClient.class);

  /**
   * Connections above the number of exchanges: an exchange gives its permit back a moment before
   * its connection is back in the pool, and no attempt may ever wait there (a waiter's timeout is
   * not enforced).
   */
  private static final int POOL_SLACK = 64;

  private final PoolingAsyncClientConnectionManager pool;
  private final CloseableHttpAsyncClient client;
  private final UpstreamThreads threads = new UpstreamThreads();
  private final TimeValue idleTime;

  /**
   * Starts the client's threads; no connection is opened yet.
   *
   * @throws IllegalArgumentException if {@code upstream.ca-file} cannot be used
   */
  public ApacheUpstreamClient(GatewaySettings settings) {
    GatewaySettings.Upstream upstream = settings.upstream();
    int connections = upstream.maxConnections() + POOL_SLACK;
    pool =
        new PoolingAsyncClientConnectionManagerBuilder() {
          @Override
          protected AsyncClientConnectionOperator createConnectionOperator(
              TlsStrategy tls, SchemePortResolver ports, DnsResolver addresses) {
            return new ClosingConnects(super.createConnectionOperator(tls, ports, addresses));
          }
        }.setMaxConnTotal(connections)
            .setMaxConnPerRoute(connections)
            .setPoolConcurrencyPolicy(PoolConcurrencyPolicy.STRICT)
            .setDnsResolver(new RememberedAddresses())
            .setTlsStrategy(
                ClientTlsStrategyBuilder.create()
                    .setSslContext(TrustedCertificates.tlsContext(upstream.caFile()))
                    .buildAsync())
            .setDefaultTlsConfig(
                TlsConfig.custom()
                    .setVersionPolicy(HttpVersionPolicy.FORCE_HTTP_1)
                    .setHandshakeTimeout(Timeout.of(settings.timeouts().connect()))
                    .build())
            .setDefaultConnectionConfig(
                ConnectionConfig.custom()
                    .setConnectTimeout(Timeout.of(settings.timeouts().connect()))
                    .setSocketTimeout(Timeout.DISABLED)
                    .setValidateAfterInactivity(TimeValue.ofSeconds(2))
                    .setTimeToLive(TimeValue.of(upstream.connectionTtl()))
                    .setIdleTimeout(Timeout.of(upstream.connectionIdle()))
                    .build())
            .build();
    idleTime = TimeValue.of(upstream.connectionIdle());
    client =
        HttpAsyncClients.custom()
            .setConnectionManager(pool)
            .setThreadFactory(threads)
            .setIOReactorConfig( // keep-alive probes and no delay are its defaults
                IOReactorConfig.custom()
                    .setIoThreadCount(upstream.ioThreadCount())
                    // Seconds of silence before a probe: networks forget silent connections, the
                    // pool's idle ones and those of a stream that thinks.
                    .setTcpKeepIdle(60)
                    .build())
            .setHttp1Config(
                Http1Config.custom()
                    .setBufferSize(upstream.bufferSize().toInt())
                    .setInitialWindowSize(settings.buffers().soft().toInt())
                    .build())
            .setDefaultRequestConfig(
                RequestConfig.custom()
                    .setResponseTimeout(
                        Timeout.DISABLED) // our clocks; this one would end a slow client's stream
                    .setConnectionRequestTimeout(Timeout.of(settings.timeouts().connect()))
                    .setProtocolUpgradeEnabled(false)
                    .build())
            .setIoSessionDecorator(UpstreamSession::new)
            // What goes wrong on one connection reaches its attempt; this hears of it a second
            // time.
            .setIoReactorExceptionCallback(
                e -> LOG.debug("Upstream I/O: {}", e.getClass().getName()))
            .addExecInterceptorFirst("cancel-everything", new CancelEverything())
            .disableAutomaticRetries()
            .disableRedirectHandling()
            .disableCookieManagement()
            .disableAuthCaching()
            .disableConnectionState()
            .disableContentCompression()
            .setUserAgent("headrace")
            .build();
    client.start();
  }

  @Override
  public Attempt start(UpstreamRequest request, AttemptListener listener) {
    URI origin = request.origin();
    HttpHost target = new HttpHost(origin.getScheme(), origin.getHost(), origin.getPort());
    BasicHttpRequest head = new BasicHttpRequest(request.method(), target, request.pathAndQuery());
    for (HeaderField field : request.headers()) {
      head.addHeader(new Unlogged(field));
    }
    ApacheAttempt attempt = new ApacheAttempt(listener);
    attempt.runsAs(
        client.execute(
            producer(request, head, attempt),
            attempt,
            null,
            HttpClientContext.create(), // a fresh one each time: with null the consumer gets none
            attempt.callback()));
    return attempt;
  }

  @Override
  public boolean hasIdleConnection(URI origin) {
    boolean secure = origin.getScheme().equalsIgnoreCase("https");
    int port = origin.getPort() > 0 ? origin.getPort() : secure ? 443 : 80;
    HttpHost target = new HttpHost(origin.getScheme(), origin.getHost(), port);
    return pool.getStats(new HttpRoute(target, null, secure)).getAvailable() > 0;
  }

  private static AsyncRequestProducer producer(
      UpstreamRequest request, BasicHttpRequest head, ApacheAttempt attempt) {
    byte[] bytes = request.body();
    if (bytes != null) {
      return new BasicRequestProducer(
          head, new BodyProducer(bytes, request.bodyLength(), attempt::isBeingSent));
    }
    return new BasicRequestProducer(head, null) {
      @Override
      public void sendRequest(RequestChannel channel, HttpContext context)
          throws HttpException, IOException {
        attempt.isBeingSent(); // the head is all of it
        super.sendRequest(channel, context);
      }
    };
  }

  @Override
  public int connectionsInUse() {
    return pool.getTotalStats().getLeased();
  }

  @Override
  public void closeExpired() {
    pool.closeExpired();
    pool.closeIdle(idleTime);
  }

  @Override
  public void close() {
    client.close(CloseMode.IMMEDIATE);
    try {
      client.awaitShutdown(TimeValue.ofSeconds(5));
      threads.awaitEnd(Duration.ofSeconds(5)); // the client waits for its I/O threads alone
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      LOG.warn("Interrupted while the upstream client was being closed");
    }
  }

  /** Daemon threads with names of ours that hold no class loader but the gateway's own. */
  private static final class UpstreamThreads implements ThreadFactory {

    private final AtomicInteger number = new AtomicInteger();
    private final Queue<Thread> threads = new ConcurrentLinkedQueue<>();

    @Override
    public Thread newThread(Runnable task) {
      Thread thread = new UpstreamThread(task, "headrace-upstream-" + number.incrementAndGet());
      threads.removeIf(earlier -> earlier.getState() == Thread.State.TERMINATED);
      threads.add(thread);
      thread.setDaemon(true);
      thread.setContextClassLoader(ApacheUpstreamClient.class.getClassLoader());
      return thread;
    }

    /** Waits until all have ended, so that no container finds one that is about to. */
    void awaitEnd(Duration limit) throws InterruptedException {
      long deadline = System.nanoTime() + limit.toNanos();
      for (Thread thread : threads) {
        long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (thread != Thread.currentThread() && millis > 0) {
          thread.join(millis);
        }
      }
    }
  }

  /** A field whose value stays out of logs: HttpClient writes the head of each request at DEBUG. */
  private static final class Unlogged extends BasicHeader {
    private static final long serialVersionUID = 1;

    Unlogged(HeaderField field) {
      super(field.name(), field.value());
    }

    @Override
    public String toString() {
      return getName() + ": ****";
    }
  }
}
