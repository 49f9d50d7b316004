package dev.headrace.relay;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.admission.Permit;
import dev.headrace.admission.StreamLimit;
import dev.headrace.config.GatewaySettings;
import jakarta.servlet.ServletContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class StreamingChecksTest {

  /** Nobody would call for its next event, and nobody would end it. */
  @Test
  @Timeout(20)
  void checkThatBeginsWhenTheGatewayHasClosedEndsAtOnce() {
    Containers containers = new Containers();
    StreamingChecks checks =
        new StreamingChecks(
            (delay, task) -> CompletableFuture.completedFuture(null),
            System::nanoTime,
            containers,
            new Writers(
                new GatewaySettings.Blocking(1, GatewaySettings.Writers.NEVER, 1), containers));
    checks.close();
    StreamLimit threads = new StreamLimit(1);
    Permit thread = requireNonNull(threads.tryAcquire());
    ContainersTest.PlainOutput out = new ContainersTest.PlainOutput();
    HttpServletRequest request =
        fake(
            HttpServletRequest.class,
            (proxy, method, arguments) ->
                method.getName().equals("getProtocol")
                    ? "HTTP/1.1"
                    : fake(ServletContext.class, (context, asked, none) -> "a server"));
    HttpServletResponse response =
        fake(
            HttpServletResponse.class,
            (proxy, method, arguments) -> method.getName().equals("getOutputStream") ? out : null);

    assertThatThrownBy(() -> checks.start(request, response, null, thread))
        .isInstanceOf(StreamCutException.class);
    assertThat(out.written.size()).isZero();
    assertThat(threads.inUse()).isZero();
  }

  private static <T> T fake(Class<T> type, InvocationHandler answers) {
    return type.cast(
        Proxy.newProxyInstance(
            StreamingChecksTest.class.getClassLoader(), new Class<?>[] {type}, answers));
  }
}
