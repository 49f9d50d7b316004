package dev.headrace.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettings.Blocking;
import jakarta.servlet.ServletContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.catalina.other.TomcatRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class WritersTest {

  private static final String LIBERTY = "IBM WebSphere Liberty/26.0.0.3";

  /** A request over this protocol in a server that calls itself so. */
  private static HttpServletRequest request(String info, String protocol) {
    return fake(HttpServletRequest.class, answers(info, protocol));
  }

  private static InvocationHandler answers(String info, String protocol) {
    ServletContext context =
        fake(ServletContext.class, (proxy, method, arguments) -> info); // asked for nothing else
    return (proxy, method, arguments) ->
        method.getName().equals("getProtocol") ? protocol : context;
  }

  private static <T> T fake(Class<T> type, InvocationHandler answers) {
    return type.cast(
        Proxy.newProxyInstance(WritersTest.class.getClassLoader(), new Class<?>[] {type}, answers));
  }

  private static Thread writingThread(GatewaySettings.Writers when, String info) throws Exception {
    return writingThread(when, request(info, "HTTP/1.1"));
  }

  private static Thread writingThread(GatewaySettings.Writers when, HttpServletRequest request)
      throws Exception {
    try (Writers writers = writers(when, 2)) {
      CompletableFuture<Thread> seen = new CompletableFuture<>();
      writers.of(request).execute(() -> seen.complete(Thread.currentThread()));
      return seen.get(10, TimeUnit.SECONDS);
    }
  }

  private static Writers writers(GatewaySettings.Writers when, int threads) {
    return new Writers(new Blocking(16, when, threads), new Containers());
  }

  @Test
  void openLibertyIsWrittenToOnThreadsOfOurOwnWhichEndWithTheGateway() throws Exception {
    Thread writer = writingThread(GatewaySettings.Writers.AUTO, LIBERTY);
    assertThat(writer).isNotSameAs(Thread.currentThread());
    assertThat(writer.getName()).startsWith("headrace-writer");
    writer.join(10_000);
    assertThat(writer.isAlive()).isFalse();
  }

  @Test
  void whatWaitsForAThreadThatAClientHoldsIsDoneByTheOneWhoCloses() throws Exception {
    List<Thread> done = new CopyOnWriteArrayList<>();
    CountDownLatch held = new CountDownLatch(1);
    try (Writers writers = writers(GatewaySettings.Writers.ALWAYS, 1)) {
      Executor writer = writers.of(request(LIBERTY, "HTTP/1.1"));
      writer.execute(
          () -> {
            held.countDown();
            while (!Thread.interrupted()) {
              LockSupport.park();
            }
          });
      assertThat(held.await(10, TimeUnit.SECONDS)).isTrue();
      writer.execute(() -> done.add(Thread.currentThread()));
    }
    assertThat(done).containsExactly(Thread.currentThread());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Apache Tomcat/11.0.24",
        "jetty/12.1.14",
        "Undertow - 2.3.26.Final",
        "Payara Micro"
      })
  void othersAreWrittenToWhereTheBytesAre(String info) throws Exception {
    assertThat(writingThread(GatewaySettings.Writers.AUTO, info)).isSameAs(Thread.currentThread());
  }

  @ParameterizedTest
  @CsvSource({
    "Apache Tomcat/11.0.24, HTTP/2.0, true",
    "a name of the operator's, HTTP/2.0, true",
    "Apache Tomcat/11.0.24, HTTP/1.1, false",
    "Payara Micro, HTTP/2.0, false"
  })
  void tomcatIsWrittenToOnThreadsOfOurOwnOverHttp2(String info, String protocol, boolean own)
      throws Exception {
    HttpServletRequest tomcats = TomcatRequest.of(answers(info, protocol));
    for (HttpServletRequest request :
        List.of(tomcats, new HttpServletRequestWrapper(new HttpServletRequestWrapper(tomcats)))) {
      Thread writer = writingThread(GatewaySettings.Writers.AUTO, request);
      assertThat(writer != Thread.currentThread()).isEqualTo(own);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"jetty/12.1.14", "Undertow - 2.3.26.Final"})
  void othersAreWrittenToWhereTheBytesAreOverHttp2Too(String info) throws Exception {
    assertThat(writingThread(GatewaySettings.Writers.AUTO, request(info, "HTTP/2.0")))
        .isSameAs(Thread.currentThread());
  }

  @Test
  void theSettingIsStronger() throws Exception {
    assertThat(writingThread(GatewaySettings.Writers.NEVER, LIBERTY))
        .isSameAs(Thread.currentThread());
    assertThat(writingThread(GatewaySettings.Writers.ALWAYS, "jetty/12.1.14"))
        .isNotSameAs(Thread.currentThread());
  }
}
