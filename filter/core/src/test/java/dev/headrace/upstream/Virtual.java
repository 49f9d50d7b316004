package dev.headrace.upstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Time and an upstream that a test plays itself. */
final class Virtual {

  private Virtual() {}

  /** A clock that stands still until it is moved. */
  static final class Time {
    private static final Instant START = Instant.parse("2026-11-22T10:15:04Z");

    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1_000);
    private final AtomicLong passed = new AtomicLong();

    void advance(Duration by) {
      passed.addAndGet(by.toNanos());
      nanos.addAndGet(by.toNanos());
    }

    Instant instant() {
      return START.plusNanos(passed.get());
    }

    TimeSource source() {
      return new TimeSource(nanos::get, this::instant);
    }
  }

  /** One call that the gateway has made. */
  static final class Call implements Attempt {
    final UpstreamRequest request;
    final AttemptListener listener;
    volatile boolean cancelled;
    volatile boolean unsent;
    volatile boolean failsToCancel;
    final AtomicLong granted = new AtomicLong();

    Call(UpstreamRequest request, AttemptListener listener) {
      this.request = request;
      this.listener = listener;
    }

    @Override
    public void grant(int bytes) {
      granted.addAndGet(bytes);
    }

    @Override
    public void cancel() {
      cancelled = true;
      if (failsToCancel) {
        throw new IllegalStateException("as the test wants");
      }
    }

    @Override
    public boolean mayHaveBeenSent() {
      return !unsent;
    }

    void head(int status, String... namesAndValues) {
      List<HeaderField> fields = new ArrayList<>();
      for (int i = 0; i < namesAndValues.length; i += 2) {
        fields.add(new HeaderField(namesAndValues[i], namesAndValues[i + 1]));
      }
      listener.onHead(new UpstreamResponseHead(status, fields));
    }

    void events() {
      head(200, "content-type", "text/event-stream");
    }

    void body(String text) {
      listener.onBytes(ByteBuffer.wrap(text.getBytes(UTF_8)));
    }

    void end() {
      listener.onEnd();
    }

    void status(int status, String... namesAndValues) {
      head(status, namesAndValues);
      body("{\"type\":\"error\",\"error\":{\"type\":\"e\",\"message\":\"m\"}}");
      end();
    }

    void fails(UpstreamFailure.Kind kind) {
      listener.onFailure(new UpstreamFailure(kind, "as the test wants"));
    }
  }

  /** Records the calls; a test may also answer each before it has even been started. */
  static final class Client implements UpstreamClient {
    final List<Call> calls = new CopyOnWriteArrayList<>();
    final Set<URI> idle = ConcurrentHashMap.newKeySet();
    private @Nullable Consumer<Call> whileStarting;

    void whileStarting(Consumer<Call> action) {
      whileStarting = action;
    }

    @Override
    public boolean hasIdleConnection(URI origin) {
      return idle.contains(origin);
    }

    @Override
    public Attempt start(UpstreamRequest request, AttemptListener listener) {
      Call call = new Call(request, listener);
      calls.add(call);
      if (whileStarting != null) {
        requireNonNull(whileStarting).accept(call);
      }
      return call;
    }

    Call call(int index) {
      return calls.get(index);
    }

    @Override
    public int connectionsInUse() {
      return 0;
    }

    @Override
    public void closeExpired() {}

    @Override
    public void close() {}
  }
}
