package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.headrace.admission.Permit;
import dev.headrace.admission.StreamLimit;
import dev.headrace.admission.Timer;
import dev.headrace.chain.Finding;
import dev.headrace.chain.WrappedResponse;
import dev.headrace.messages.ApiError;
import dev.headrace.observe.Outcome;
import dev.headrace.upstream.HeaderField;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers {@code GET <mount>/ops/streaming}: a few events some time apart, written as answers of
 * the API are, so that {@code curl -N} shows whether they come one by one; the last one says what
 * lies in the way. Bounded in number and time. Thread-safe.
 */
final class StreamingChecks implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(StreamingChecks.class);

  private static final int EVENTS = 5;
  private static final Duration PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST = Duration.ofSeconds(10);
  private static final int MOST_AT_ONCE = 4;

  private static final List<HeaderField> HEADERS =
      List.of(
          new HeaderField("content-type", "text/event-stream; charset=utf-8"),
          new HeaderField("cache-control", "no-cache"),
          new HeaderField("x-accel-buffering", "no"),
          new HeaderField("x-content-type-options", "nosniff"));

  private final StreamLimit limit = new StreamLimit(MOST_AT_ONCE);
  private final Set<Run> running = ConcurrentHashMap.newKeySet();
  private final Timer timer;
  private final LongSupplier nanoTime;
  private final Containers containers;
  private final Writers writers;
  private volatile boolean closed;

  /**
   * @param timer calls back for each event
   */
  StreamingChecks(Timer timer, LongSupplier nanoTime, Containers containers, Writers writers) {
    this.timer = timer;
    this.nanoTime = nanoTime;
    this.containers = containers;
    this.writers = writers;
  }

  /**
   * Answers one request; returns false if too many run, with nothing done.
   *
   * @param thread the right to hold the container's thread, given back here, to write on it; null
   *     to become asynchronous
   */
  boolean start(
      HttpServletRequest request,
      HttpServletResponse response,
      @Nullable WrappedResponse wrapped,
      @Nullable Permit thread)
      throws IOException {
    Permit permit = limit.tryAcquire();
    if (permit == null) {
      return false;
    }
    Run run = new Run(permit, wrapped, thread != null);
    try {
      if (thread != null) {
        BlockingClientStream client =
            new BlockingClientStream(request, response, wrapped, run, nanoTime, containers);
        run.begin(client);
        client.run();
      } else {
        AsyncContext async = request.startAsync(request, response);
        async.setTimeout(0);
        AsyncClientStream client =
            new AsyncClientStream(
                async, request, response, wrapped, run, nanoTime, containers, writers.of(request));
        client.start();
        run.begin(client);
      }
      return true;
    } catch (StreamCutException e) {
      run.release();
      Containers.drop(request);
      Containers.dropHere(request);
      throw e;
    } catch (IOException | RuntimeException | Error e) {
      run.release();
      if (wrapped != null && thread == null && wrapped.finding() == null) {
        wrapped.found(Finding.UNWRITABLE); // next time a thread is held
      }
      throw e;
    } finally {
      if (thread != null) {
        thread.release();
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    running.forEach(Run::stop);
  }

  /** One of them. */
  private final class Run implements ClientStream.Listener {

    private final Permit permit;
    private final @Nullable WrappedResponse wrapped;
    private final boolean blocking;
    private final AtomicBoolean released = new AtomicBoolean();
    private volatile @Nullable ClientStream client;
    private volatile @Nullable Future<?> next;
    private volatile long startNanos;

    Run(Permit permit, @Nullable WrappedResponse wrapped, boolean blocking) {
      this.permit = permit;
      this.wrapped = wrapped;
      this.blocking = blocking;
    }

    void begin(ClientStream stream) {
      client = stream;
      startNanos = nanoTime.getAsLong();
      running.add(this);
      if (released.get()) { // the client has left at once
        running.remove(this);
        return;
      }
      if (closed) { // close() may have looked before
        stop();
        return;
      }
      stream.head(200, HEADERS);
      step(stream, 1);
    }

    private void step(ClientStream stream, int number) {
      long now = nanoTime.getAsLong();
      if (released.get()) {
        return;
      }
      if (stream.isUnwritable(now)) {
        onUnwritable();
      } else if (now - startNanos > LONGEST.toNanos()) {
        stop();
      } else if (number <= EVENTS) {
        write(stream, "event: streaming\ndata: {\"number\":" + number + "}\n\n");
        later(stream, number + 1);
      } else if (number == EVENTS + 1 && stream.stuckNanos(now) == 0) {
        write(stream, result());
        stream.finish(Outcome.of(Outcome.Kind.COMPLETED));
        later(stream, number + 1);
      } else { // until the client, or a filter, has taken them
        later(stream, number);
      }
    }

    private void later(ClientStream stream, int number) {
      next = timer.after(PAUSE, () -> step(stream, number));
    }

    private static void write(ClientStream stream, String event) {
      byte[] bytes = event.getBytes(US_ASCII);
      var unused = stream.append(bytes, 0, bytes.length, ClientQueue.Place.BOUNDARY);
    }

    private String result() {
      Finding finding = wrapped == null ? null : wrapped.finding();
      String wrappers =
          wrapped == null
              ? ""
              : wrapped.classes().stream()
                  .map(name -> '"' + name + '"')
                  .collect(Collectors.joining(","));
      return "event: result\ndata: {\"mode\":\""
          + (blocking ? "blocking" : "asynchronous")
          + "\",\"wrappers\":["
          + wrappers
          + "],\"held_back\":"
          + (finding == null ? "null" : '"' + finding.kind() + '"')
          + "}\n\n";
    }

    void stop() {
      ClientStream stream = client;
      if (stream != null) {
        stream.abort(Outcome.of(Outcome.Kind.CANCELLED));
      }
      release();
    }

    void release() {
      if (released.compareAndSet(false, true)) {
        running.remove(this);
        permit.release();
        Future<?> pending = next;
        if (pending != null) {
          pending.cancel(false);
        }
      }
    }

    @Override
    public void onTaken(int bytes) {
      // nobody waits for it
    }

    @Override
    public void onFinished(Outcome outcome) {
      release();
    }

    @Override
    public void onGone(String why) {
      release();
    }

    @Override
    public void onBroken(Throwable cause) {
      release();
      LOG.error("A check of how events come through cannot go on", cause);
    }

    @Override
    public void onUnwritable() {
      ClientStream stream = client;
      byte[] json =
          new ApiError(
                  500,
                  "api_error",
                  "A filter of this application keeps answers from being written. The server's log"
                      + " says which one and what to change.",
                  null)
              .json();
      Outcome outcome = new Outcome(Outcome.Kind.FAILED, "response wrapper");
      List<HeaderField> headers =
          List.of(
              new HeaderField("content-type", "application/json"),
              new HeaderField("content-length", Integer.toString(json.length)));
      if (stream != null && !stream.answerUnwritable(500, headers, json, outcome)) {
        stop();
      }
    }

    @Override
    public void onEndedByWrapper() {
      release();
    }

    @Override
    public void onContainerEnds() {
      stop();
    }
  }
}
