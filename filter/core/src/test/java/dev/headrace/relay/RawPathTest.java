package dev.headrace.relay;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RawPathTest {

  @ParameterizedTest
  @CsvSource({
    "'', /claude/v1, /claude/v1",
    "/shop, /shop/claude/v1, /shop/claude/v1",
    "/my%20app, /my%20app/claude/a%2Fb, /my%20app/claude/a%2Fb", // Tomcat, Jetty
    "/my app, /my%20app/claude/a%2Fb, /my app/claude/a%2Fb", // Undertow
    "/my app, /my%20app, /my app",
    "/b\u00fcro, /b%c3%bcro/claude, /b\u00fcro/claude",
    "/a+b c, /a+b%20c/claude, /a+b c/claude",
    "/one/two three, /one/two%20three/claude, /one/two three/claude",
    "/my app, /other/claude, /other/claude",
    "/my app, /my%2/claude, /my%2/claude",
    "/my app, /, /"
  })
  void beginsAsTheContainerNamesTheContext(String context, String uri, String path) {
    HttpServletRequest request =
        (HttpServletRequest)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {HttpServletRequest.class},
                (proxy, method, arguments) ->
                    switch (method.getName()) {
                      case "getContextPath" -> context;
                      case "getRequestURI" -> uri;
                      default -> throw new UnsupportedOperationException(method.getName());
                    });
    assertThat(RawPath.of(request)).isEqualTo(path);
  }
}
