package dev.headrace.simulator;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The listening socket, its event loops and its connections. Thread-safe. */
final class SimulatorServer {
  // Ten thousand clients may connect at once; the kernel takes its own maximum if that is lower.
  private static final int BACKLOG = 16_384;
  private static final int LONGEST_LINE = 64 << 10;
  private static final int LARGEST_HEADERS = 256 << 10;
  // An event loop that does not answer for so long is blocked, by somebody's answersBy.
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final SimulatorSettings settings;
  private final RequestLog log;
  private final Function<SeenRequest, Answer> answers;
  private final @Nullable SslContext tls;
  private final EventLoopGroup loops;
  private final ChannelGroup connections = new DefaultChannelGroup(ImmediateEventExecutor.INSTANCE);
  // One for each request, in order. Goes on over a reset, so that no id comes twice. Used only
  // inside the log's lock.
  private final SplittableRandom randoms;
  private final AtomicLong connectionIds = new AtomicLong();
  private final AtomicInteger openConnections = new AtomicInteger();
  private final AtomicInteger openStreams = new AtomicInteger();
  private final int port;
  private @Nullable Channel listener;

  SimulatorServer(
      SimulatorSettings settings,
      RequestLog log,
      Function<SeenRequest, Answer> answers,
      @Nullable SslContext tls) {
    this.settings = settings;
    this.log = log;
    this.answers = answers;
    this.tls = tls;
    this.randoms = new SplittableRandom(settings.seed());
    this.loops =
        new MultiThreadIoEventLoopGroup(
            settings.threads(),
            new DefaultThreadFactory("claude-simulator", true),
            NioIoHandler.newFactory());
    Channel bound;
    try {
      bound = bind(settings.port());
    } catch (RuntimeException e) {
      await(loops.shutdownGracefully(0, 1, TimeUnit.SECONDS), deadline(PATIENCE));
      throw e;
    }
    this.listener = bound;
    this.port = ((InetSocketAddress) bound.localAddress()).getPort();
  }

  SimulatorSettings settings() {
    return settings;
  }

  int port() {
    return port;
  }

  int openConnections() {
    return openConnections.get();
  }

  int openStreams() {
    return openStreams.get();
  }

  Answer answer(SeenRequest request) {
    return answers.apply(request);
  }

  SeenRequest remember(
      long connectionId,
      String method,
      String target,
      Map<String, List<String>> headers,
      byte[] body) {
    return log.add(
        index -> {
          SplittableRandom own = randoms.split();
          return new SeenRequest(
              index,
              connectionId,
              Ids.next("req_011C", own),
              own.nextLong(),
              method,
              target,
              headers,
              body,
              settings.recordEventTimes());
        });
  }

  void exchangeStarted(SeenRequest request) {
    openStreams.incrementAndGet();
    log.ready(request);
  }

  void exchangeEnded() {
    openStreams.decrementAndGet();
  }

  /** Closes the listening socket, so that new connections are refused from the return on. */
  synchronized void refuseConnections() {
    long deadline = deadline(PATIENCE);
    closeListener(deadline);
    // The JDK closes a registered socket only with the selector's next round; see it closed.
    while (accepts()) {
      if (System.nanoTime() - deadline > 0) {
        throw new IllegalStateException("Port " + port + " still accepts connections");
      }
      Thread.onSpinWait();
    }
  }

  private boolean accepts() {
    try (Socket probe = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return probe.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private synchronized void closeListener(long deadline) {
    Channel open = listener;
    if (open != null) {
      listener = null;
      await(open.close(), deadline);
    }
  }

  /** Listens again on the same port. */
  synchronized void acceptConnections() {
    if (listener == null) {
      listener = bind(port);
    }
  }

  void closeConnections() {
    connections.close().awaitUninterruptibly();
  }

  /** Waits for it, or a connection might be reset after it has been taken for what comes next. */
  void resetConnections() {
    List<Channel> all = List.copyOf(connections);
    for (Channel connection : all) {
      connection.eventLoop().execute(() -> Exchange.reset(connection));
    }
    all.forEach(connection -> connection.closeFuture().awaitUninterruptibly());
  }

  /** Resets every connection on which an answer is under way; the others stay open. */
  void endAnswers() {
    List<Future<?>> tasks = new ArrayList<>();
    for (Channel connection : connections) {
      ConnectionHandler handler = connection.pipeline().get(ConnectionHandler.class);
      if (handler != null) {
        tasks.add(connection.eventLoop().submit(handler::endAnswers));
      }
    }
    long deadline = deadline(PATIENCE);
    tasks.forEach(task -> await(task, deadline));
  }

  /** Closes everything. What is not done in this time is done when the event loops get to it. */
  void close(Duration patience) {
    long deadline = deadline(patience);
    closeListener(deadline);
    await(connections.close(), deadline);
    await(loops.shutdownGracefully(0, 2, TimeUnit.SECONDS), deadline);
  }

  private static long deadline(Duration patience) {
    return System.nanoTime() + patience.toNanos();
  }

  private static void await(Future<?> done, long deadline) {
    done.awaitUninterruptibly(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
  }

  private Channel bind(int wantedPort) {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loops)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    opened(channel);
                  }
                })
            .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wantedPort))
            .awaitUninterruptibly();
    Throwable cause = bound.cause();
    if (cause != null) {
      // Its futures throw a checked exception unchecked, which nobody who calls can catch.
      throw new UncheckedIOException(
          "Cannot listen on 127.0.0.1:" + wantedPort + ": " + cause.getMessage(),
          cause instanceof IOException e ? e : new IOException(cause));
    }
    return bound.channel();
  }

  private void opened(SocketChannel channel) {
    openConnections.incrementAndGet();
    channel.closeFuture().addListener(closed -> openConnections.decrementAndGet());
    connections.add(channel);
    if (tls != null) {
      channel.pipeline().addLast(tls.newHandler(channel.alloc()));
    }
    channel
        .pipeline()
        .addLast(
            new HttpRequestDecoder(
                new HttpDecoderConfig()
                    .setMaxInitialLineLength(LONGEST_LINE)
                    .setMaxHeaderSize(LARGEST_HEADERS)))
        .addLast(new ConnectionHandler(this, connectionIds.incrementAndGet(), channel));
  }
}
