package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import dev.headrace.config.ByteSize;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/**
 * The API key, prompts and answers stand in no log and in no answer, whatever goes wrong. The
 * gateway's loggers are at TRACE; all others stay as configured, because HttpClient's own wire log
 * shows everything at DEBUG.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class SecretsTest extends GatewayContract {

  private static final String PROMPT = "the-secret-prompt";
  private static final String ANSWER = "the-secret-answer";
  private static final String CLIENT_KEY = "sk-of-the-client";

  private final Queue<String> log = new ConcurrentLinkedQueue<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
  private final Logger ours = (Logger) LoggerFactory.getLogger("dev.headrace");
  private final AppenderBase<ILoggingEvent> appender =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          String stack =
              event.getThrowableProxy() == null
                  ? ""
                  : ThrowableProxyUtil.asString(event.getThrowableProxy());
          log.add(event.getLoggerName() + " " + event.getFormattedMessage() + " " + stack);
        }
      };
  private Level levelBefore = Level.INFO;

  SecretsTest(ContainerKind kind) {
    super(kind);
  }

  @BeforeEach
  void captureTheLog() {
    levelBefore = ours.getLevel();
    root.getAppender("CONSOLE").stop(); // otherwise the build's log has all of it
    appender.setContext(root.getLoggerContext());
    appender.start();
    root.addAppender(appender);
    ours.setLevel(Level.TRACE);
  }

  @AfterEach
  void releaseTheLog() {
    ours.setLevel(levelBefore);
    root.detachAppender(appender);
    root.getAppender("CONSOLE").start();
  }

  @Test
  void neitherKeyNorPromptNorAnswerStandsInTheLogOrAnError() throws Exception {
    GatewayUnderTest headrace =
        start(
            ClaudeSimulator.builder().apiKey(KEY),
            s ->
                s.timeoutsIdle(Duration.ofMillis(300))
                    .timeoutsFirstEvent(Duration.ofMillis(300))
                    .requestMaxBody(ByteSize.ofKibibytes(2)));
    String body = Requests.streaming(PROMPT);
    List<Answer> answers =
        List.of(
            Answer.text(ANSWER),
            Answer.text(ANSWER).cutAtByte(700),
            Answer.text(ANSWER).resetAtByte(700),
            Answer.text(ANSWER).cutAfterEvents(4),
            Answer.text(ANSWER).cutCleanAfterEvents(4),
            Answer.text(ANSWER).stallAfterEvents(4),
            Answer.text(ANSWER).errorAfterEvents(4, "overloaded_error"),
            Answer.text(ANSWER).stallBeforeHead(),
            Answer.text(ANSWER).closeBeforeHead(),
            Answer.errorFirst("overloaded_error"),
            Answer.status(401),
            Answer.status(529),
            Answer.html(503));
    List<RawClient.Reply> replies = new ArrayList<>();
    for (Answer answer : answers) {
      headrace.claude().answers(answer);
      RawClient client = client(headrace);
      client.post(
          "/claude/v1/messages",
          body,
          "x-api-key: " + CLIENT_KEY,
          "Authorization: Bearer " + CLIENT_KEY,
          "anthropic-beta: " + CLIENT_KEY);
      replies.add(client.reply());
    }
    replies.add(post(headrace, body.substring(5)));
    replies.add(
        post(headrace, body.replace("\"stream\"", "\"model\":\"" + PROMPT + "\",\"stream\"")));
    replies.add(post(headrace, Requests.streaming(PROMPT.repeat(500))));
    RawClient leaving = client(headrace);
    headrace.claude().answers(Answer.text(ANSWER, ANSWER).paced(10));
    leaving.post(body).replyHead();
    leaving.reset();
    headrace.awaitIdle(Duration.ofSeconds(10));
    headrace.claude().refuseConnections();
    replies.add(post(headrace, body));
    headrace.gateway().close();

    for (String line : log) {
      assertThat(line).doesNotContain(KEY, PROMPT, ANSWER, CLIENT_KEY);
    }
    for (RawClient.Reply reply : replies) {
      assertThat(reply.body() + reply.fields()).doesNotContain(KEY, PROMPT, CLIENT_KEY);
    }
    assertThat(log.stream().filter(line -> line.startsWith("dev.headrace.exchange")).count())
        .as("one line for each exchange")
        .isEqualTo(answers.size() + 2 + 1 + 1);
    assertThat(log).anyMatch(line -> line.contains("Headrace starts with"));
  }
}
