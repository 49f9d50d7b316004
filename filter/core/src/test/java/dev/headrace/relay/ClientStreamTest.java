package dev.headrace.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.observe.Outcome;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * One thread hears that the client has left, and the one that writes notices at the same moment.
 */
class ClientStreamTest {

  private final Containers containers = new Containers();
  private final HttpServletRequest request = fake(HttpServletRequest.class);
  private final HttpServletResponse response = fake(HttpServletResponse.class);
  private final Told told = new Told();

  @Test
  @Timeout(20)
  void exchangeIsToldThoughTheNextBytesComeAtThatMoment() throws Exception {
    AsyncClientStream stream =
        new AsyncClientStream(
            fake(AsyncContext.class),
            request,
            response,
            null,
            told,
            System::nanoTime,
            containers,
            Runnable::run);
    leave(stream, () -> stream.onError(new IOException("left")), stream::wake);
    assertThat(told.gone).hasValue(1);
    assertThat(told.finished).hasValue(0);
  }

  @Test
  @Timeout(20)
  void exchangeIsToldThoughTheThreadThatHoldsTheRequestNoticesToo() throws Exception {
    BlockingClientStream stream =
        new BlockingClientStream(request, response, null, told, System::nanoTime, containers);
    leave(stream, () -> stream.clientHasLeft("left"), stream::run);
    assertThat(told.gone).hasValue(1);
    assertThat(told.finished).hasValue(0);
  }

  private interface Writing {
    void run() throws StreamCutException;
  }

  /** The news is on its way in a thread, which is held up until the writer has noticed. */
  private static void leave(ClientStream stream, Runnable news, Writing writing) throws Exception {
    Thread messenger = new Thread(news);
    synchronized (stream.queue) {
      messenger.start();
      while (!stream.isGone() || messenger.getState() != Thread.State.BLOCKED) {
        Thread.onSpinWait();
      }
      writing.run();
      assertThat(stream.isOver()).isTrue();
    }
    messenger.join();
  }

  private static final class Told implements ClientStream.Listener {
    final AtomicInteger gone = new AtomicInteger();
    final AtomicInteger finished = new AtomicInteger();

    @Override
    public void onBroken(Throwable cause) {
      onGone(cause.toString());
    }

    @Override
    public void onGone(String why) {
      gone.incrementAndGet();
    }

    @Override
    public void onFinished(Outcome outcome) {
      finished.incrementAndGet();
    }

    @Override
    public void onTaken(int bytes) {}

    @Override
    public void onUnwritable() {}

    @Override
    public void onEndedByWrapper() {}

    @Override
    public void onContainerEnds() {}
  }

  private static <T> T fake(Class<T> type) {
    return type.cast(
        Proxy.newProxyInstance(
            ClientStreamTest.class.getClassLoader(), new Class<?>[] {type}, ANSWERS));
  }

  private static final InvocationHandler ANSWERS =
      (proxy, method, arguments) ->
          switch (method.getName()) {
            case "getProtocol" -> "HTTP/1.1";
            case "getServerInfo" -> "a container";
            case "getServletContext" -> fake(ServletContext.class);
            case "getOutputStream" -> new ContainersTest.PlainOutput();
            case "getBufferSize" -> 8192;
            case "isCommitted" -> true;
            default -> null;
          };
}
