package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Collects the requests of one connection and answers them one after the other. Owned by the
 * connection's event loop.
 */
final class ConnectionHandler extends ChannelInboundHandlerAdapter implements Exchange.Listener {
  private static final byte[] CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n".getBytes(US_ASCII);

  private final SimulatorServer server;
  private final long connectionId;
  private final Channel channel;
  private final Deque<Exchange> exchanges = new ArrayDeque<>();

  private @Nullable HttpRequest head;
  private ByteArrayOutputStream body = new ByteArrayOutputStream(0);
  private boolean refused;
  private boolean closeWhenRead;

  ConnectionHandler(SimulatorServer server, long connectionId, Channel channel) {
    this.server = server;
    this.connectionId = connectionId;
    this.channel = channel;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    try {
      if (message instanceof HttpRequest request) {
        begin(request);
      }
      if (message instanceof HttpContent content) {
        add(content);
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void begin(HttpRequest request) {
    if (request.decoderResult().isFailure()) {
      ignore(channel.close());
      return;
    }
    head = request;
    refused = false;
    body = new ByteArrayOutputStream(0);
    if (HttpUtil.getContentLength(request, -1L) > server.settings().maxBodyBytes()) {
      refuse(request);
    } else if (HttpUtil.is100ContinueExpected(request)) {
      ignore(channel.writeAndFlush(Unpooled.wrappedBuffer(CONTINUE)));
    }
  }

  private void add(HttpContent content) {
    HttpRequest request = head;
    if (request == null) {
      return;
    }
    if (content.decoderResult().isFailure()) {
      // A chunk that is none. The decoder reads no further, so nothing else can come.
      head = null;
      ignore(channel.close());
      return;
    }
    ByteBuf bytes = content.content();
    if (!refused && body.size() + bytes.readableBytes() > server.settings().maxBodyBytes()) {
      refuse(request);
    }
    if (!refused) {
      byte[] copy = new byte[bytes.readableBytes()];
      bytes.readBytes(copy);
      body.writeBytes(copy);
    }
    if (content instanceof LastHttpContent) {
      head = null;
      if (refused) {
        if (closeWhenRead && exchanges.isEmpty()) {
          ignore(channel.close());
        }
      } else {
        answer(request, body.toByteArray());
      }
      body = new ByteArrayOutputStream(0);
    }
  }

  // The edge answers before it has read everything. The rest is read and dropped, because closing a
  // socket with unread bytes sends RST, which may overtake the answer.
  private void refuse(HttpRequest request) {
    refused = true;
    SeenRequest seen = seen(request, body.toByteArray());
    enqueue(seen, Answer.edge413().connectionClose());
  }

  private void answer(HttpRequest request, byte[] bytes) {
    SeenRequest seen = seen(request, bytes);
    Answer answer;
    try {
      answer = server.answer(seen);
    } catch (Throwable e) { // a test's assertion is an Error
      seen.failed(e);
      answer = Answer.error(500, "api_error", "The script failed: " + e);
    }
    enqueue(seen, HttpUtil.isKeepAlive(request) ? answer : answer.connectionClose());
  }

  private SeenRequest seen(HttpRequest request, byte[] bytes) {
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (Map.Entry<String, String> header : request.headers()) {
      headers.computeIfAbsent(header.getKey(), name -> new ArrayList<>()).add(header.getValue());
    }
    headers.replaceAll((name, values) -> List.copyOf(values));
    return server.remember(connectionId, request.method().name(), request.uri(), headers, bytes);
  }

  private void enqueue(SeenRequest seen, Answer answer) {
    Plan plan = plan(seen, answer);
    Exchange exchange = new Exchange(channel, seen, plan, this);
    server.exchangeStarted(seen);
    exchanges.add(exchange);
    if (exchanges.size() == 1) {
      exchange.start();
    }
  }

  private Plan plan(SeenRequest seen, Answer answer) {
    try {
      return new PlanBuilder(answer, seen, server.settings()).build();
    } catch (Throwable e) {
      seen.failed(e);
      Answer told = Answer.error(500, "api_error", "The script cannot be rendered: " + e);
      return new PlanBuilder(told, seen, server.settings()).build();
    }
  }

  @Override
  public void ended(Exchange exchange) {
    server.exchangeEnded();
  }

  @Override
  public void connectionFree(Exchange exchange) {
    exchanges.remove(exchange);
    if (!channel.isActive()) {
      return;
    }
    if (exchange.closesConnection()) {
      closeWhenRead = true;
      if (head == null) {
        ignore(channel.close());
      }
      return;
    }
    Exchange next = exchanges.peek();
    if (next != null) {
      next.start();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    Exchange current = exchanges.peek();
    if (current != null) {
      current.writable();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    endAll();
  }

  /** Resets the connection if an answer is under way. For the thread of the channel. */
  void endAnswers() {
    if (exchanges.stream().anyMatch(Exchange::isUnderWay)) {
      endAll();
      Exchange.reset(channel);
    }
  }

  private void endAll() {
    for (Exchange exchange : List.copyOf(exchanges)) {
      exchange.clientGone();
    }
    exchanges.clear();
  }

  // A client's RST comes as an exception; the closed connection is what is reported.
  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    Exchange current = exchanges.peek();
    if (current != null) {
      current.request().failed(cause);
    }
    ignore(channel.close());
  }

  private static void ignore(Future<?> ignored) {}
}
