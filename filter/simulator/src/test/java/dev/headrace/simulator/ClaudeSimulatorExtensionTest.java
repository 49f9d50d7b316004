package dev.headrace.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
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

@ExtendWith(ClaudeSimulatorExtension.class)
class ClaudeSimulatorParameterTest {
  @Test
  void aParameterIsTheSimulator(ClaudeSimulator claude) throws Exception {
    claude.answers(Answer.status(529));

    assertThat(new HttpCaller(claude).stream().statusCode()).isEqualTo(529);
  }
}
