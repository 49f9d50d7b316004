package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.RawClient.End;
import dev.headrace.simulator.Answer;
import jakarta.servlet.Filter;
import jakarta.servlet.ServletResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Filters that support asynchronous requests and put nothing around the response, but lay hands on
 * it, or fail, on the request's way in or back.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class FiltersWithoutWrappersTest extends GatewayContract {

  private static final String WHOLE = Requests.whole("Hello");
  private static final String PATH = "/claude/v1/messages";

  private ExchangeLines lines;

  FiltersWithoutWrappersTest(ContainerKind kind) {
    super(kind);
  }

  @BeforeEach
  void listen() {
    lines = new ExchangeLines();
  }

  @AfterEach
  void stopListening() {
    lines.close();
  }

  private GatewayUnderTest startBehind(Filter filter) throws Exception {
    GatewayUnderTest headrace =
        keep(GatewayUnderTest.startBehindAsync(kind(), filter, settings -> settings));
    headrace.claude().answersAlways(Answer.text("Grüße", " aus Köln"));
    return headrace;
  }

  /** As of an application from before UTF-8. */
  @Test
  void anEncodingForPagesIsNotSaidOfJson() throws Exception {
    GatewayUnderTest headrace =
        startBehind(
            (request, response, chain) -> {
              response.setCharacterEncoding("ISO-8859-1");
              chain.doFilter(request, response);
            });
    assertUtf8(client(headrace).post(PATH, WHOLE).reply(), "Grüße");
    assertUtf8(client(headrace).post(PATH, STREAMING).reply(), "Grüße");
    assertUtf8(client(headrace).post(PATH, "{}{").reply(), "invalid_request_error");
    assertUtf8(client(headrace).request("GET", "/claude/nothing").reply(), "not_found_error");
    headrace.claude().answersAlways(Answer.error(500, "api_error", "Ü"));
    assertUtf8(client(headrace).post(PATH, STREAMING).reply(), "api_error");
  }

  private static void assertUtf8(RawClient.Reply reply, String body) {
    assertThat(reply.body()).contains(body);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    String type = reply.header("content-type").orElseThrow().toLowerCase(Locale.ROOT);
    assertThat(type).doesNotContain("iso-8859-1");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anAnswerThatAFilterHasBegunIsNoSuccess(boolean refused) throws Exception {
    GatewayUnderTest headrace =
        startBehind(
            (request, response, chain) -> {
              chain.doFilter(request, response);
              response.flushBuffer();
            });
    assertThat(isSuccess(client(headrace).post(PATH, refused ? "{}{" : WHOLE))).isFalse();
    assertThat(lines.awaitOne()).contains("FAILED(filter)");
  }

  @Test
  void anAnswerThatWasBegunBeforeIsNoSuccess() throws Exception {
    GatewayUnderTest headrace =
        startBehind(
            (request, response, chain) -> {
              response.flushBuffer();
              chain.doFilter(request, response);
            });
    assertThat(isSuccess(client(headrace).post(PATH, WHOLE))).isFalse();
    assertThat(isSuccess(client(headrace).post(PATH, "{}{"))).isFalse();
    assertThat(isSuccess(client(headrace).request("GET", "/claude/nothing"))).isFalse();
    assertThat(isSuccess(client(headrace).request("GET", "/claude/ops/ready"))).isFalse();
    assertThat(headrace.claude().attempts()).isZero();
  }

  private static boolean isSuccess(RawClient client) {
    try {
      RawClient.Reply reply = client.reply();
      return reply.status() < 400 && reply.end() == End.COMPLETE;
    } catch (IOException e) {
      return false; // the connection was dropped before the head
    }
  }

  /** What filters do wrong behind the chain. */
  private enum Failing {
    BY_ITSELF {
      @Override
      void behind(ServletResponse response) {
        throw new IllegalStateException("the audit's table is full");
      }
    },
    WITH_ITS_OWN_FILES {
      @Override
      void behind(ServletResponse response) throws IOException {
        Files.readString(Path.of("no such folder", "audit"));
      }
    },
    BY_USING_THE_CONTAINER_WRONGLY {
      @Override
      void behind(ServletResponse response) throws IOException {
        response.getWriter().flush(); // the stream was asked for before
      }
    };

    abstract void behind(ServletResponse response) throws IOException;
  }

  @ParameterizedTest
  @EnumSource(Failing.class)
  void aFilterThatFailsBehindTheChainIsNoFaultOfTheClient(Failing failing) throws Exception {
    GatewayUnderTest headrace =
        startBehind(
            (request, response, chain) -> {
              chain.doFilter(request, response);
              failing.behind(response);
            });
    assertThat(client(headrace).post(PATH, WHOLE).reply().status()).isEqualTo(500);
    assertThat(lines.awaitOne()).contains("FAILED(filter)");
  }
}
