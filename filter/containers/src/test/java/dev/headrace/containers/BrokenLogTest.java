package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.IdentitySource;
import dev.headrace.config.RequestRate;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.Transcripts;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/**
 * Something that fails while an exchange is being ended, here the application's log, keeps no
 * client waiting for the end of its answer, and nothing is held for good.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class BrokenLogTest extends GatewayContract {

  private final Logger exchanges = (Logger) LoggerFactory.getLogger("dev.headrace.exchange");
  private final AtomicInteger failures = new AtomicInteger();
  private final AppenderBase<ILoggingEvent> broken =
      new AppenderBase<>() {
        @Override
        public synchronized void doAppend(ILoggingEvent line) {
          failures.incrementAndGet();
          throw new IllegalStateException("no room for a line");
        }

        @Override
        protected void append(ILoggingEvent line) {
          throw new AssertionError("not called");
        }
      };

  BrokenLogTest(ContainerKind kind) {
    super(kind);
  }

  @BeforeEach
  void breakTheLog() {
    broken.start();
    exchanges.addAppender(broken);
    exchanges.setLevel(Level.INFO);
  }

  @AfterEach
  void mendTheLog() {
    exchanges.setLevel(null);
    exchanges.detachAppender(broken);
  }

  private GatewayUnderTest gateway(boolean async) throws Exception {
    UnaryOperator<GatewaySettingsBuilder> none = settings -> settings;
    return async ? start(none) : keep(GatewayUnderTest.startBehindLegacyFilter(kind(), none));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everyAnswerComesToItsEnd(boolean async) throws Exception {
    GatewayUnderTest headrace = gateway(async);
    byte[] stream = Transcripts.text();
    headrace.claude().answersAlways(Answer.transcript(stream).splitAt(100, 300));
    for (int i = 1; i <= 3; i++) {
      Reply reply = post(headrace, STREAMING);
      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.body()).isEqualTo(new String(stream, StandardCharsets.UTF_8));
      assertThat(reply.end()).isEqualTo(RawClient.End.COMPLETE);
      assertThat(failures).hasValue(i);
    }
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().outcomes()).containsOnlyKeys("COMPLETED");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anErrorIsAnswered(boolean async) throws Exception {
    GatewayUnderTest headrace = gateway(async);
    headrace.claude().answers(Answer.error(400, "invalid_request_error", "no"));
    Reply reply = post(headrace, STREAMING);
    assertThat(reply.status()).isEqualTo(400);
    assertThat(reply.end()).isEqualTo(RawClient.End.COMPLETE);
    // Its length has told the client before that it is whole.
    await().untilAsserted(() -> assertThat(failures).hasValue(1));
  }

  @Test
  void aRefusalBeforeTheExchangeHasBegunIsAnswered() throws Exception {
    GatewayUnderTest headrace =
        keep(GatewayUnderTest.startBehindLegacyFilter(kind(), s -> s.blockingMaxConcurrent(0)));
    Reply reply = post(headrace, STREAMING);
    assertThat(reply.status()).isEqualTo(503);
    assertThat(reply.header("retry-after")).contains("1");
    assertThat(reply.body()).contains("overloaded_error");
    assertThat(failures).hasValue(1);
  }

  /**
   * The line stands between the user's limits and the call, on the thread that has read the body.
   */
  @Test
  void whatFailsBeforeTheCallIsAnswered() throws Exception {
    Logger lines = (Logger) LoggerFactory.getLogger("dev.headrace.relay.Exchange");
    GatewayUnderTest headrace =
        start(
            settings ->
                settings
                    .identitySources(List.of(IdentitySource.ADDRESS))
                    .plans(
                        Map.of(
                            "all",
                            Plan.builder("all")
                                .requests(new RequestRate(1, Duration.ofHours(1)))
                                .shadow(true)
                                .build())));
    headrace.claude().answersAlways(Answer.text("Hi"));
    assertThat(post(headrace, STREAMING).status()).isEqualTo(200);
    lines.addAppender(broken);
    lines.setLevel(Level.INFO);
    try {
      Reply reply = post(headrace, STREAMING);
      assertThat(reply.status()).isEqualTo(500);
      assertThat(reply.body()).contains("api_error", "The server's log");
      headrace.awaitIdle(Duration.ofSeconds(5));
      assertThat(headrace.gateway().permitsInUse()).isZero();
      assertThat(headrace.gateway().outcomes())
          .isEqualTo(Map.of("COMPLETED", 1L, "FAILED(IllegalStateException)", 1L));
    } finally {
      lines.setLevel(null);
      lines.detachAppender(broken);
    }
    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  /** The model has no price, which the log is to say while the exchange is put on the books. */
  @Test
  void whatAUserHadReservedComesBack() throws Exception {
    Logger usage = (Logger) LoggerFactory.getLogger("dev.headrace.usage");
    usage.addAppender(broken);
    usage.setLevel(Level.INFO);
    try {
      GatewayUnderTest headrace =
          start(
              settings ->
                  settings
                      .identitySources(List.of(IdentitySource.ADDRESS))
                      .plans(Map.of("all", Plan.builder("all").concurrent(1).build())));
      headrace.claude().answersAlways(Answer.text("Hi").model("claude-unheard-of"));
      for (int i = 1; i <= 3; i++) {
        Reply reply = post(headrace, STREAMING);
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.end()).isEqualTo(RawClient.End.COMPLETE);
        headrace.awaitIdle(Duration.ofSeconds(5));
      }
      assertThat(failures).as("lines for the exchanges, and more").hasValueGreaterThan(3);
    } finally {
      usage.setLevel(null);
      usage.detachAppender(broken);
    }
  }

  /** The warning stands before the answer, and is written on the thread that reads the upstream. */
  @Test
  void aFailureThatTheLogIsToTellOfIsAnswered() throws Exception {
    Logger warnings = (Logger) LoggerFactory.getLogger("dev.headrace.relay.Exchange");
    warnings.addAppender(broken);
    warnings.setLevel(Level.WARN);
    try {
      GatewayUnderTest headrace = start(settings -> settings.retryMaxAttempts(1));
      headrace.claude().answersAlways(Answer.text("never").resetBeforeHead());
      for (int i = 1; i <= 3; i++) {
        Reply reply = post(headrace, STREAMING);
        assertThat(reply.status()).isEqualTo(502);
        assertThat(reply.end()).isEqualTo(RawClient.End.COMPLETE);
      }
      headrace.awaitIdle(Duration.ofSeconds(5));
      assertThat(failures).hasValueGreaterThanOrEqualTo(6); // a warning and a line each
    } finally {
      warnings.setLevel(null);
      warnings.detachAppender(broken);
    }
  }
}
