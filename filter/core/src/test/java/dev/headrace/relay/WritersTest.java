package dev.headrace.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettings.Blocking;
import jakarta.servlet.ServletContext;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WritersTest {

  private static final String LIBERTY = "IBM WebSphere Liberty/26.0.0.3";

  private static ServletContext server(String info) {
    return (ServletContext)
        Proxy.newProxyInstance(
            WritersTest.class.getClassLoader(),
            new Class<?>[] {ServletContext.class},
            (proxy, method, arguments) -> method.getName().equals("getServerInfo") ? info : null);
  }

  private static Thread writingThread(GatewaySettings.Writers when, String info) throws Exception {
    try (Writers writers = new Writers(new Blocking(16, when, 2))) {
      CompletableFuture<Thread> seen = new CompletableFuture<>();
      writers.in(server(info)).execute(() -> seen.complete(Thread.currentThread()));
      return seen.get(10, TimeUnit.SECONDS);
    }
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
    try (Writers writers = new Writers(new Blocking(16, GatewaySettings.Writers.ALWAYS, 1))) {
      Executor writer = writers.in(server(LIBERTY));
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

  @Test
  void theSettingIsStronger() throws Exception {
    assertThat(writingThread(GatewaySettings.Writers.NEVER, LIBERTY))
        .isSameAs(Thread.currentThread());
    assertThat(writingThread(GatewaySettings.Writers.ALWAYS, "jetty/12.1.14"))
        .isNotSameAs(Thread.currentThread());
  }
}
