package dev.headrace.simulator;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

class ClaudeSimulatorExtensionTest {
  @RegisterExtension static final ClaudeSimulatorExtension SHARED = new ClaudeSimulatorExtension();

  @RegisterExtension
  final ClaudeSimulatorExtension own =
      new ClaudeSimulatorExtension(ClaudeSimulator.builder().tokensPerSecond(1000));

  @Test
  void eachTestFindsItForgottenOfEverything() throws Exception {
    assertThat(SHARED.simulator().attempts()).isZero();
    assertThat(new HttpCaller(SHARED.simulator()).stream().statusCode()).isEqualTo(200);
    assertThat(SHARED.simulator().attempts()).isEqualTo(1);
  }

  @Test
  void anotherTestFindsItForgottenToo() throws Exception {
    eachTestFindsItForgottenOfEverything();
  }

  @Test
  void anInstanceFieldGivesASimulatorOfItsOwn() throws Exception {
    assertThat(own.simulator().port()).isNotEqualTo(SHARED.simulator().port());
    assertThat(new HttpCaller(own.simulator()).stream().statusCode()).isEqualTo(200);
  }

  @Nested
  class Inside {
    @Test
    void aNestedTestUsesTheSameOne() {
      assertThat(SHARED.simulator().attempts()).isZero();
    }
  }
}

@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClaudeSimulatorBetweenTestsTest {
  @RegisterExtension static final ClaudeSimulatorExtension SHARED = new ClaudeSimulatorExtension();

  private static CompletableFuture<HttpResponse<String>> abandoned = new CompletableFuture<>();

  @Test
  @Order(1)
  void oneTestLeavesAStalledStreamAndAClosedPort() {
    ClaudeSimulator claude = SHARED.simulator();
    claude.answers(Answer.text("Hel").stallAfterEvents(4));
    abandoned = new HttpCaller(claude).streamAsync();
    claude.awaitRequest(0, Duration.ofSeconds(10)).awaitEvents(4, Duration.ofSeconds(10));

    claude.refuseConnections();

    assertThat(claude.openStreams()).isEqualTo(1);
  }

  @Test
  @Order(2)
  void theNextTestFindsNoStreamAndAnOpenPort() throws Exception {
    ClaudeSimulator claude = SHARED.simulator();

    assertThat(claude.openStreams()).isZero();
    assertThat(claude.openConnections()).isZero();
    assertThat(new HttpCaller(claude).stream().statusCode()).isEqualTo(200);
    assertThat(abandoned).failsWithin(Duration.ofSeconds(10));
  }
}

@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClaudeSimulatorPoolBetweenTestsTest {
  @RegisterExtension static final ClaudeSimulatorExtension SHARED = new ClaudeSimulatorExtension();

  private static @Nullable HttpCaller http;
  private static long connection;

  @Test
  @Order(1)
  void oneTestLeavesAConnectionInThePoolOfItsClient() throws Exception {
    http = new HttpCaller(SHARED.simulator());
    assertThat(http.stream().statusCode()).isEqualTo(200);
    connection = SHARED.simulator().lastRequest().connectionId();
  }

  @Test
  @Order(2)
  void theNextTestMayUseItAgain() throws Exception {
    assertThat(requireNonNull(http).stream().statusCode()).isEqualTo(200);
    assertThat(SHARED.simulator().lastRequest().connectionId()).isEqualTo(connection);
  }
}

@ExtendWith(ClaudeSimulatorExtension.class)
class ClaudeSimulatorParameterTest {
  @Test
  void aParameterIsTheSimulator(ClaudeSimulator claude) throws Exception {
    claude.answers(Answer.status(529));

    assertThat(new HttpCaller(claude).stream().statusCode()).isEqualTo(529);
  }
}
