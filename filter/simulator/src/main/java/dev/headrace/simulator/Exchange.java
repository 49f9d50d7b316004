package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Carries out one {@link Plan} on a connection. Owned by the connection's event loop: every method
 * runs there. It takes the next step only while the connection is writable, so that a client that
 * does not read costs one buffer, whatever was scripted.
 */
final class Exchange {
  // WAITING --head written--> RUNNING --end of the script--> ENDING --last byte accepted--> ENDED
  // any state but ENDED --client gone--> ENDED
  private enum State {
    WAITING,
    RUNNING,
    ENDING,
    ENDED
  }

  /** Hears how an exchange ends, once each, on the event loop. */
  interface Listener {
    /** The answer is sent or the client has gone: nothing more will be counted. */
    void ended(Exchange exchange);

    /** The last byte is accepted and the connection may carry the next answer. */
    void connectionFree(Exchange exchange);
  }

  // Up to here a body with a length surely fits into the socket's buffer and is counted as sent
  // when it is handed over.
  private static final int SMALL_BODY = 64 << 10;

  // One turn on the event loop; longer ones would keep other streams waiting.
  private static final int BYTES_PER_TURN = 256 << 10;
  private static final byte[] LAST_CHUNK = "0\r\n\r\n".getBytes(US_ASCII);
  private static final byte[] CRLF = "\r\n".getBytes(US_ASCII);
  private static final byte[] NO_BYTES = {};

  private final Channel channel;
  private final SeenRequest request;
  private final Plan plan;
  private final Listener listener;
  // See SMALL_BODY.
  private final boolean countsBeforeFlush;
  private @Nullable GzipBody gzip;

  private State state = State.WAITING;
  private @Nullable ScheduledFuture<?> timer;
  private boolean awaitingWritable;

  private @Nullable Step step;
  private long waitUntilNanos;
  private boolean waiting;
  private long nextDeltaNanos;
  private boolean pacing;
  private long floodLeft = -1;
  private boolean streamStarted;

  private byte[] pending = NO_BYTES;
  private int pendingOffset;
  private boolean pendingIsEvent;
  private @Nullable Usage pendingUsage;
  private long bodyOffset;

  Exchange(Channel channel, SeenRequest request, Plan plan, Listener listener) {
    this.channel = channel;
    this.request = request;
    this.plan = plan;
    this.listener = listener;
    this.countsBeforeFlush =
        plan.framing == Plan.Framing.LENGTH
            && plan.bodyBytes <= SMALL_BODY
            && !plan.shaper.shapes()
            && !plan.stallBeforeHead
            && plan.insteadOfHead == null;
  }

  SeenRequest request() {
    return request;
  }

  boolean isUnderWay() {
    return state != State.ENDED;
  }

  /** Whether the connection must not be used again. */
  boolean closesConnection() {
    return plan.closeAfter;
  }

  void start() {
    if (plan.insteadOfHead != null) {
      end(plan.insteadOfHead);
    } else if (plan.stallBeforeHead) {
      // Nothing happens until the client leaves.
      return;
    } else if (plan.beforeHeadNanos > 0) {
      runAfter(plan.beforeHeadNanos);
    } else {
      run();
    }
  }

  void writable() {
    if (awaitingWritable && channel.isWritable()) {
      awaitingWritable = false;
      run();
    }
  }

  void clientGone() {
    if (state != State.ENDED) {
      state = State.ENDED;
      release();
      listener.ended(this);
      // Last, because it wakes up who waits, and they may look at the rest.
      request.markClientGone();
    }
  }

  private void runAfter(long nanos) {
    timer =
        channel
            .eventLoop()
            .schedule(
                () -> {
                  timer = null;
                  run();
                },
                nanos,
                TimeUnit.NANOSECONDS);
  }

  private void run() {
    try {
      if (state == State.WAITING) {
        state = State.RUNNING;
        writeHead();
      }
      takeSteps();
    } catch (RuntimeException e) {
      // A defect of the simulator must show in the test, not hang it.
      request.failed(e);
      end(AnswerSpec.Ending.RESET);
      throw e;
    }
  }

  private void writeHead() {
    ignore(channel.write(Unpooled.wrappedBuffer(plan.head)));
    request.headSent(plan.status);
    if (plan.gzip) {
      gzip = new GzipBody();
    }
    if (plan.bodyless) {
      step = new Step.End(AnswerSpec.Ending.CLEAN);
    }
    if (plan.shaper.shapes() || plan.shaper.endsAt(0)) {
      channel.flush();
    }
  }

  private void takeSteps() {
    int turn = 0;
    while (state == State.RUNNING) {
      if (!channel.isWritable()) {
        channel.flush();
        if (!channel.isWritable()) {
          awaitingWritable = true;
          return;
        }
      }
      if (turn > BYTES_PER_TURN) {
        channel.flush();
        channel.eventLoop().execute(this::run);
        return;
      }
      if (plan.shaper.endsAt(bodyOffset)) {
        end(plan.shaper.ending());
        return;
      }
      if (pendingOffset < pending.length) {
        turn += writePiece();
        if (plan.shaper.gapNanos() > 0) {
          channel.flush();
          runAfter(plan.shaper.gapNanos());
          return;
        }
        continue;
      }
      if (!takeStep()) {
        return;
      }
    }
  }

  /** Returns false when the exchange now waits for a timer, for the client, or has ended. */
  private boolean takeStep() {
    Step current = step;
    if (current == null) {
      current = plan.steps.hasNext() ? plan.steps.next() : new Step.End(AnswerSpec.Ending.CLEAN);
      step = current;
    }
    if (current instanceof Step.Send send) {
      return send(send.event());
    }
    if (current instanceof Step.SendBody body) {
      offer(body.bytes(), false, body.usage());
      step = null;
      return true;
    }
    if (current instanceof Step.Flood flood) {
      flood(flood);
      return true;
    }
    if (current instanceof Step.Wait wait) {
      return waitFor(wait.nanos());
    }
    if (current instanceof Step.Stall stall) {
      stall(stall.pingNanos());
      return false;
    }
    end(((Step.End) current).how());
    return state == State.RUNNING;
  }

  private boolean send(WireEvent event) {
    if (event.isDelta() && plan.pace.tokensPerSecond() > 0) {
      long now = System.nanoTime();
      if (!pacing) {
        pacing = true;
        nextDeltaNanos = now;
      }
      if (nextDeltaNanos - now > 0) {
        channel.flush();
        runAfter(nextDeltaNanos - now);
        return false;
      }
      // Counted from when it was due, not from now: a late timer does not slow the stream down.
      nextDeltaNanos += jittered(plan.pace.gapNanos());
    }
    offer(event);
    step = null;
    return true;
  }

  private long jittered(long gapNanos) {
    double jitter = plan.pace.jitter();
    return jitter == 0
        ? gapNanos
        : (long) (gapNanos * (1 + jitter * (2 * plan.jitter.nextDouble() - 1)));
  }

  private void flood(Step.Flood flood) {
    if (floodLeft < 0) {
      floodLeft = flood.bytes();
    }
    offer(flood.event());
    floodLeft -= pending.length;
    if (floodLeft <= 0) {
      floodLeft = -1;
      step = null;
    }
  }

  private boolean waitFor(long nanos) {
    long now = System.nanoTime();
    if (!waiting) {
      waiting = true;
      waitUntilNanos = now + nanos;
    } else if (waitUntilNanos - now > 0 && streamStarted) {
      // The timer came for a ping, not for the end of the wait.
      writePing();
    }
    long left = waitUntilNanos - now;
    if (left <= 0) {
      waiting = false;
      pacing = false;
      step = null;
      return true;
    }
    channel.flush();
    runAfter(streamStarted ? Math.min(left, plan.pingIntervalNanos) : left);
    return false;
  }

  private void stall(long pingNanos) {
    if (pingNanos > 0) {
      if (waiting) {
        writePing();
      }
      waiting = true;
      runAfter(pingNanos);
    }
    channel.flush();
  }

  private void writePing() {
    offer(WireEvent.PING);
    while (pendingOffset < pending.length && !plan.shaper.endsAt(bodyOffset)) {
      writePiece();
    }
  }

  private void offer(WireEvent event) {
    streamStarted = true;
    offer(event.encode(plan.padding, plan.style), true, event.usage());
  }

  private void offer(byte[] bytes, boolean event, @Nullable Usage usage) {
    GzipBody compressor = gzip;
    pending = compressor == null ? bytes : compressor.add(bytes);
    pendingOffset = 0;
    pendingIsEvent = event;
    pendingUsage = usage;
  }

  /** Writes as much of the pending bytes as the plan allows in one write. */
  private int writePiece() {
    int size = plan.shaper.nextPiece(bodyOffset, pending.length - pendingOffset);
    ByteBuf piece = framed(pending, pendingOffset, size);
    pendingOffset += size;
    bodyOffset += size;
    boolean complete = pendingOffset == pending.length;
    boolean event = complete && pendingIsEvent;
    Usage usage = complete ? pendingUsage : null;
    if (complete) {
      pending = NO_BYTES;
      pendingOffset = 0;
    }
    if (countsBeforeFlush) {
      request.sent(size, event, usage);
      ignore(channel.write(piece));
      return size;
    }
    ignore(
        channel
            .write(piece)
            .addListener(
                written -> {
                  if (written.isSuccess()) {
                    request.sent(size, event, usage);
                  }
                }));
    return size;
  }

  private ByteBuf framed(byte[] bytes, int offset, int size) {
    if (plan.framing != Plan.Framing.CHUNKED) {
      return channel.alloc().buffer(size).writeBytes(bytes, offset, size);
    }
    ByteBuf chunk = channel.alloc().buffer(size + 12);
    ByteBufUtil.writeAscii(chunk, Integer.toHexString(size));
    return chunk.writeBytes(CRLF).writeBytes(bytes, offset, size).writeBytes(CRLF);
  }

  private void end(AnswerSpec.Ending how) {
    if (how == AnswerSpec.Ending.CLEAN && gzip != null) {
      pending = gzip.finish();
      pendingOffset = 0;
      pendingIsEvent = false;
      pendingUsage = null;
      gzip = null;
      step = new Step.End(how);
      return;
    }
    state = State.ENDING;
    if (countsBeforeFlush) {
      // The client knows the length: it may be done, and the test look, before a listener runs.
      ended();
    }
    // Ended only when the bytes before are accepted: until then the client may still leave.
    ignore(
        channel
            .writeAndFlush(Unpooled.EMPTY_BUFFER)
            .addListener(
                written -> {
                  if (written.isSuccess()) {
                    finish(how);
                  }
                }));
  }

  private void finish(AnswerSpec.Ending how) {
    if (state == State.ENDING) {
      // Before the client can see the end, so that whoever looks then sees all of it.
      ended();
    } else if (!countsBeforeFlush) {
      return;
    }
    switch (how) {
      case CLEAN ->
          ignore(
              channel
                  .writeAndFlush(lastBytes())
                  .addListener(written -> listener.connectionFree(this)));
      case CUT -> ignore(channel.close());
      case RESET -> reset(channel);
    }
  }

  private void ended() {
    state = State.ENDED;
    release();
    listener.ended(this);
    request.markFinished();
  }

  private ByteBuf lastBytes() {
    return plan.framing == Plan.Framing.CHUNKED && !plan.bodyless
        ? Unpooled.wrappedBuffer(LAST_CHUNK)
        : Unpooled.EMPTY_BUFFER;
  }

  /**
   * Closes with RST instead of FIN; with TLS also without close_notify. For the thread of the
   * channel.
   */
  static void reset(Channel channel) {
    if (!channel.isOpen()) {
      return; // the client was faster
    }
    channel.config().setOption(ChannelOption.SO_LINGER, 0);
    // Below the pipeline, where TLS would say goodbye first.
    channel.unsafe().close(channel.newPromise());
  }

  private void release() {
    ScheduledFuture<?> running = timer;
    if (running != null) {
      running.cancel(false);
      timer = null;
    }
    GzipBody compressor = gzip;
    if (compressor != null) {
      compressor.discard();
      gzip = null;
    }
    pending = NO_BYTES;
  }

  private static void ignore(Future<?> ignored) {}
}
