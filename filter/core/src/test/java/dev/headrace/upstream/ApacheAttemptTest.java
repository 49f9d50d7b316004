package dev.headrace.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.channels.CancelledKeyException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ApacheAttemptTest {

  /** The one who grants writes to a client, whose answer would end with what is thrown here. */
  @Test
  void grantForAConnectionThatIsBeingClosedDoesNothing() {
    AtomicInteger asked = new AtomicInteger();
    ApacheAttempt attempt = new ApacheAttempt(new Deaf());
    attempt.updateCapacity(
        bytes -> {
          asked.incrementAndGet();
          throw new CancelledKeyException(); // as the session of a TLS connection does
        });
    assertThatCode(() -> attempt.grant(1000)).doesNotThrowAnyException();

    ApacheAttempt closed = new ApacheAttempt(new Deaf());
    closed.grant(1000); // before the client asks for it
    assertThatCode(
            () ->
                closed.updateCapacity(
                    bytes -> {
                      asked.incrementAndGet();
                      throw new IOException("closed");
                    }))
        .doesNotThrowAnyException();
    assertThat(asked).hasValue(2);
  }
}
