package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.Transcripts;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
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
