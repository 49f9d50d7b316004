package shop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.retry.Retry;
import io.vavr.CheckedFunction0;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequests;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Uses each library of an application that has not been touched for years, and says whose class it was. */
@WebServlet("/libraries")
public final class LibrariesServlet extends HttpServlet {

  private static final Logger LOG = LoggerFactory.getLogger(LibrariesServlet.class);

  private final ObjectMapper mapper = new ObjectMapper();
  private final Cache<String, String> cache = Caffeine.newBuilder().maximumSize(10).build();
  private final CircuitBreaker breaker = CircuitBreaker.ofDefaults("shop");
  private final Retry retry = Retry.ofDefaults("shop");

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
    response.setContentType("text/plain");
    try {
      String url = request.getParameter("url");
      for (String line :
          new String[] {json(), httpClient4(url), httpClient5(url), caffeine(), resilience()}) {
        response.getWriter().println(line);
      }
      LOG.info("The shop has used its {} libraries", 5);
      response.getWriter().println("log " + from(LOG.getClass()));
    } catch (Throwable e) {
      throw new IOException(e);
    }
  }

  private String json() throws Exception {
    JsonNode order = mapper.readTree("{\"article\":\"wheel\",\"pieces\":3}");
    String written = mapper.writeValueAsString(order);
    return "jackson " + order.get("pieces").asInt() + " " + written.length() + " " + from(ObjectMapper.class);
  }

  private static String httpClient4(String url) throws Exception {
    try (CloseableHttpClient client = HttpClients.createDefault();
        CloseableHttpResponse answer = client.execute(new HttpGet(url))) {
      return "httpclient4 " + EntityUtils.toString(answer.getEntity()) + " " + from(HttpClients.class);
    }
  }

  private static String httpClient5(String url) throws Exception {
    try (CloseableHttpAsyncClient client = HttpAsyncClients.createDefault()) {
      client.start();
      SimpleHttpRequest get = SimpleHttpRequests.get(url);
      String body = client.execute(get, null).get(20, TimeUnit.SECONDS).getBodyText();
      return "httpclient5 " + body + " " + from(HttpAsyncClients.class);
    }
  }

  private String caffeine() {
    return "caffeine " + cache.get("key", key -> key + "-cached") + " " + from(Caffeine.class);
  }

  private String resilience() throws Throwable {
    AtomicInteger calls = new AtomicInteger();
    CheckedFunction0<Integer> call =
        Retry.decorateCheckedSupplier(
            retry,
            CircuitBreaker.decorateCheckedSupplier(
                breaker,
                () -> {
                  if (calls.incrementAndGet() == 1) {
                    throw new IOException("the first call always fails");
                  }
                  return calls.get();
                }));
    return "resilience4j " + call.apply() + " " + from(CircuitBreaker.class);
  }

  private static String from(Class<?> type) {
    return new File(type.getProtectionDomain().getCodeSource().getLocation().getPath()).getName();
  }
}
