package dev.headrace.relay;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletResponse;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ContainersTest {

  private final List<Integer> sizes = new ArrayList<>();

  @ParameterizedTest
  @CsvSource({
    "jetty/12.1.14, 32768, false, 8192",
    "jetty/12.1.14, 8192, false, ",
    "jetty/12.1.14, 4096, false, ",
    "jetty/12.1.14, 32768, true, ",
    "Apache Tomcat/11.0.27, 32768, false, ",
    "Undertow - 2.4.4.Final, 16384, false, ",
  })
  void onlyJettysBufferIsMadeSmaller(
      String server, int size, boolean committed, @Nullable Integer expected) {
    new Containers().spareBuffer(context(server), response(size, committed, false));
    assertThat(sizes).isEqualTo(expected == null ? List.of() : List.of(expected));
  }

  @Test
  void bufferThatIsInUseStaysAsItIs() {
    new Containers().spareBuffer(context("jetty/12.1.14"), response(32_768, false, true));
    assertThat(sizes).containsExactly(8192); // and nothing was thrown
  }

  private static ServletContext context(String server) {
    return proxy(
        ServletContext.class, (method, argument) -> method.equals("getServerInfo") ? server : null);
  }

  private ServletResponse response(int size, boolean committed, boolean refuses) {
    return proxy(
        ServletResponse.class,
        (method, argument) ->
            switch (method) {
              case "getBufferSize" -> size;
              case "isCommitted" -> committed;
              case "setBufferSize" -> {
                sizes.add((Integer) requireNonNull(argument));
                if (refuses) {
                  throw new IllegalStateException("written");
                }
                yield null;
              }
              default -> null;
            });
  }

  private interface Calls {
    @Nullable Object of(String method, @Nullable Object argument);
  }

  private static <T> T proxy(Class<T> type, Calls calls) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) ->
                calls.of(method.getName(), arguments == null ? null : arguments[0])));
  }
}
