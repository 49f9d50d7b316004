package dev.headrace.bench.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Answers one request after another of a connection, each event as a chunk of its own. Paced events
 * go out one by one; where there is no pace, some at a time and then those of other connections, so
 * that streams come side by side, until the connection takes no more. Only for the event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what cannot be written ends with the connection
final class UpstreamHandler extends SimpleChannelInboundHandler<FullHttpRequest> {

  private static final byte[] HEAD =
      ascii(
          """
          HTTP/1.1 200 OK\r
          Content-Type: text/event-stream; charset=utf-8\r
          Cache-Control: no-cache\r
          request-id: req_bench\r
          Transfer-Encoding: chunked\r
          \r
          """);
  private static final byte[] READY =
      ascii(
          """
          HTTP/1.1 200 OK\r
          Content-Type: text/plain\r
          Content-Length: 2\r
          \r
          ok""");
  private static final byte[] LAST_CHUNK = ascii("0\r\n\r\n");
  private static final byte[] LINE_END = ascii("\r\n");

  /** Events that go out with one flush where there is no pace. */
  private static final int BATCH = 16;

  private @Nullable Ask ask;
  private int written;
  private boolean waiting; // for the hold, the next tick or its turn
  private @Nullable Future<?> ticks;

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
    if (!request.method().name().equals("POST")) {
      context.writeAndFlush(Unpooled.wrappedBuffer(READY));
      return;
    }
    Ask asked = Ask.read(request.content().toString(StandardCharsets.UTF_8));
    ask = asked;
    written = 0;
    waiting = asked.holdMillis() > 0 || asked.gapMicros() > 0;
    context.write(Unpooled.wrappedBuffer(HEAD));
    context.write(chunk(StreamBytes.START));
    if (asked.holdMillis() > 0) {
      context.flush();
      context.executor().schedule(() -> goOn(context), asked.holdMillis(), TimeUnit.MILLISECONDS);
      return;
    }
    begin(context, asked);
  }

  private void goOn(ChannelHandlerContext context) {
    Ask asked = ask;
    if (asked != null && context.channel().isActive()) {
      waiting = asked.gapMicros() > 0;
      begin(context, asked);
    }
  }

  private void begin(ChannelHandlerContext context, Ask asked) {
    context.write(chunk(StreamBytes.BLOCK_START));
    if (asked.gapMicros() == 0) {
      writeSome(context, asked);
      return;
    }
    context.flush();
    ticks =
        context
            .executor()
            .scheduleAtFixedRate(
                () -> tick(context, asked),
                // So that the events of many streams do not come at the same moments.
                ThreadLocalRandom.current().nextLong(asked.gapMicros()),
                asked.gapMicros(),
                TimeUnit.MICROSECONDS);
  }

  private void tick(ChannelHandlerContext context, Ask asked) {
    if (!context.channel().isWritable()) {
      return; // the next tick tries again: this one's event is late, and its stamp says so not
    }
    if (written < asked.deltas()) {
      context.writeAndFlush(chunk(StreamBytes.delta(System.nanoTime(), written++)));
    }
    if (written >= asked.deltas()) {
      end(context);
    }
  }

  private void writeSome(ChannelHandlerContext context, Ask asked) {
    int upTo = Math.min(asked.deltas(), written + BATCH);
    long now = System.nanoTime();
    for (; written < upTo; written++) {
      context.write(chunk(StreamBytes.delta(now, written)));
    }
    if (written >= asked.deltas()) {
      end(context);
      return;
    }
    context.flush();
    if (context.channel().isWritable()) {
      waiting = true; // for the others' turn
      // Scheduled, not executed: what waits in the event loop's queue is run before its sockets are
      // looked at.
      context.executor().schedule(() -> goOnWriting(context), 0, TimeUnit.NANOSECONDS);
    }
  }

  private void goOnWriting(ChannelHandlerContext context) {
    waiting = false;
    Ask asked = ask;
    if (asked != null && context.channel().isWritable()) {
      writeSome(context, asked);
    }
  }

  private void end(ChannelHandlerContext context) {
    ask = null;
    stopTicks();
    context.write(chunk(StreamBytes.END));
    context.writeAndFlush(Unpooled.wrappedBuffer(LAST_CHUNK));
  }

  private void stopTicks() {
    Future<?> running = ticks;
    if (running != null) {
      running.cancel(false);
      ticks = null;
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    Ask asked = ask;
    if (asked != null && !waiting && context.channel().isWritable()) {
      writeSome(context, asked);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    ask = null;
    stopTicks();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    context.close(); // the client has left
  }

  private static ByteBuf chunk(byte[] event) {
    return Unpooled.wrappedBuffer(
        ascii(Integer.toHexString(event.length) + "\r\n"), event, LINE_END);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
