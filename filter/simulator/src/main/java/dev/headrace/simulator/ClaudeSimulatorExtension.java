package dev.headrace.simulator;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A JUnit Jupiter extension that gives tests a {@link ClaudeSimulator}, which has forgotten
 * everything before each test: it accepts connections, answers as it was built to, has seen no
 * request, and no answer is under way. Connections without an answer stay open, because a client
 * may be about to use one of its pool.
 *
 * <p>With {@code @ExtendWith(ClaudeSimulatorExtension.class)} on the class, or a static
 * {@code @RegisterExtension} field, one simulator serves the whole class; with an instance field
 * each test has its own. Tests take it as a parameter or from {@link #simulator}. Not for tests of
 * one class that run in parallel.
 */
public final class ClaudeSimulatorExtension
    implements BeforeAllCallback,
        BeforeEachCallback,
        AfterEachCallback,
        AfterAllCallback,
        ParameterResolver {
  private final ClaudeSimulator.Builder builder;
  private @Nullable ClaudeSimulator simulator;
  private int classes;

  /** A simulator with the default settings. */
  public ClaudeSimulatorExtension() {
    this(ClaudeSimulator.builder());
  }

  /** A simulator with these settings. */
  public ClaudeSimulatorExtension(ClaudeSimulator.Builder builder) {
    this.builder = Objects.requireNonNull(builder, "builder");
  }

  /**
   * The running simulator.
   *
   * @throws IllegalStateException outside of a test
   */
  public ClaudeSimulator simulator() {
    ClaudeSimulator running = simulator;
    if (running == null) {
      throw new IllegalStateException("The simulator runs only while tests do");
    }
    return running;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    // Nested classes come here again; the outermost one owns the simulator.
    if (classes++ == 0) {
      simulator = builder.start();
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    if (simulator == null) {
      simulator = builder.start();
    } else {
      simulator.startAfresh();
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (classes == 0) {
      close();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    if (--classes == 0) {
      close();
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == ClaudeSimulator.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return simulator();
  }

  private void close() {
    if (simulator != null) {
      simulator.close();
      simulator = null;
    }
  }
}
