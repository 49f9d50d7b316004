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
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The upstream over {@code java.net.http}, HTTP/1.1. */
public final class JdkUpstreamClient implements UpstreamClient {

  /** Which the JDK sets itself and lets nobody else set. */
  private static final Set<String> RESTRICTED =
      Set.of("connection", "content-length", "expect", "host", "upgrade");

  private final ExecutorService threads;
  private final HttpClient client;
  private final long initialCredit;
  private final Set<Exchange> running = ConcurrentHashMap.newKeySet();

  public JdkUpstreamClient(GatewaySettings settings) {
    AtomicInteger number = new AtomicInteger();
    threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "headrace-upstream-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    initialCredit = settings.buffers().soft().toInt();
    client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(settings.timeouts().connect())
            .executor(threads)
            .build();
  }

  @Override
  public Attempt start(UpstreamRequest request, AttemptListener listener) {
    HttpRequest.Builder head =
        HttpRequest.newBuilder(request.origin().resolve(request.pathAndQuery()))
            .method(request.method(), body(request));
    for (HeaderField field : request.headers()) {
      if (!RESTRICTED.contains(field.name().toLowerCase(Locale.ROOT))) {
        head.header(field.name(), field.value());
      }
    }
    Exchange exchange = new Exchange(listener);
    running.add(exchange);
    exchange.runsAs(client.sendAsync(head.build(), exchange));
    return exchange;
  }

  private static HttpRequest.BodyPublisher body(UpstreamRequest request) {
    byte[] bytes = request.body();
    return bytes == null
        ? HttpRequest.BodyPublishers.noBody()
        : HttpRequest.BodyPublishers.ofByteArray(bytes, 0, request.bodyLength());
  }

  @Override
  public int connectionsInUse() {
    return running.size();
  }

  @Override
  public void closeExpired() {
    // The JDK's client does so itself.
  }

  @Override
  public void close() {
    running.forEach(Exchange::cancel);
    threads.shutdownNow();
  }

  private final class Exchange
      implements Attempt, HttpResponse.BodyHandler<Void>, HttpResponse.BodySubscriber<Void> {

    private final AttemptListener listener;
    private final Credit credit = new Credit(initialCredit);
    private final AtomicBoolean ended = new AtomicBoolean();
    private final CompletableFuture<Void> body = new CompletableFuture<>();
    private volatile boolean cancelled;
    private volatile boolean responding;
    private volatile @Nullable CompletableFuture<?> future;
    private volatile Flow.@Nullable Subscription subscription;

    Exchange(AttemptListener listener) {
      this.listener = listener;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the listener is told
    void runsAs(CompletableFuture<?> started) {
      future = started;
      if (cancelled) {
        started.cancel(true);
      }
      started.whenComplete(
          (response, failure) -> {
            if (failure != null) {
              fail(failure);
            }
          });
    }

    @Override
    public HttpResponse.BodySubscriber<Void> apply(HttpResponse.ResponseInfo response) {
      List<HeaderField> fields = new ArrayList<>();
      response
          .headers()
          .map()
          .forEach(
              (name, values) -> {
                for (String value : values) {
                  if (HeaderField.isValid(name, value)) {
                    fields.add(new HeaderField(name, value));
                  }
                }
              });
      responding = true;
      listener.onHead(new UpstreamResponseHead(response.statusCode(), fields));
      return this;
    }

    @Override
    public CompletionStage<Void> getBody() {
      return body;
    }

    @Override
    public void onSubscribe(Flow.Subscription theSubscription) {
      subscription = theSubscription;
      if (cancelled) {
        theSubscription.cancel();
      } else if (credit.readOn()) {
        theSubscription.request(1);
      }
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
      for (ByteBuffer buffer : buffers) {
        credit.use(buffer.remaining());
        if (!ended.get()) {
          listener.onBytes(buffer);
        }
      }
      if (!ended.get()) {
        listener.onPause();
      }
      if (credit.readOn()) {
        readOn();
      }
    }

    private void readOn() {
      Flow.Subscription theSubscription = subscription;
      if (theSubscription != null) {
        theSubscription.request(1);
      }
    }

    @Override
    public void onError(Throwable failure) {
      body.completeExceptionally(failure);
      fail(failure);
    }

    @Override
    public void onComplete() {
      body.complete(null);
      if (ended.compareAndSet(false, true)) {
        running.remove(this);
        listener.onEnd();
      }
    }

    private void fail(Throwable wrapped) {
      if (!ended.compareAndSet(false, true)) {
        return;
      }
      running.remove(this);
      Throwable failure =
          wrapped instanceof CompletionException && wrapped.getCause() != null
              ? wrapped.getCause()
              : wrapped;
      Kind kind =
          cancelled
              ? Kind.CANCELLED
              : responding
                  ? Kind.CUT
                  : failure instanceof ConnectException ? Kind.CONNECT : Kind.NO_RESPONSE;
      listener.onFailure(new UpstreamFailure(kind, failure.toString()));
    }

    @Override
    public void grant(int bytes) {
      if (credit.grant(bytes)) {
        readOn();
      }
    }

    @Override
    public void cancel() {
      if (ended.get()) {
        return; // its connection may be another exchange's by now
      }
      cancelled = true;
      Flow.Subscription theSubscription = subscription;
      if (theSubscription != null) {
        theSubscription.cancel();
      }
      CompletableFuture<?> theFuture = future;
      if (theFuture != null) {
        theFuture.cancel(true);
      }
      if (responding) {
        fail(new CancellationException());
      }
    }
  }
}
