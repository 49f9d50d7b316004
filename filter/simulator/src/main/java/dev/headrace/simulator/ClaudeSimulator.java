package dev.headrace.simulator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A Claude on 127.0.0.1 that says what a test tells it to, and goes wrong where the test wants.
 *
 * <pre>{@code
 * try (ClaudeSimulator claude = ClaudeSimulator.start()) {
 *   claude.answers(Answer.text("Hel", "lo").cutAtByte(500));
 *   // ... call claude.baseUrl() + "/v1/messages" ...
 *   assertThat(claude.lastRequest().header("x-api-key")).hasValue("sk-test");
 * }
 * }</pre>
 *
 * <p>Scripts apply to {@code POST /v1/messages}. Requests that the real API would refuse (no key,
 * no version, no {@code max_tokens} and so on) get its error and use up no script. Thread-safe. Its
 * threads are daemons; streams cost no thread of their own.
 */
public final class ClaudeSimulator implements AutoCloseable {
  private final AnswerScript script;
  private final RequestLog log;
  private final SimulatorServer server;
  private final @Nullable ThrowAwayCertificate certificate;
  private @Nullable Path certificateFile;

  private ClaudeSimulator(
      SimulatorSettings settings, Supplier<Function<SeenRequest, Answer>> initial) {
    script = new AnswerScript(initial);
    log = new RequestLog(settings.rememberedRequests());
    certificate = settings.tls() ? new ThrowAwayCertificate() : null;
    server =
        new SimulatorServer(
            settings,
            log,
            new RequestRouter(settings, script),
            certificate == null ? null : certificate.context());
  }

  /**
   * Starts on a free port with plain HTTP and a short default answer.
   *
   * @throws UncheckedIOException if it cannot listen
   */
  public static ClaudeSimulator start() {
    return builder().start();
  }

  /** Everything that can be set. */
  public static Builder builder() {
    return new Builder();
  }

  // ---- Where it is ----------------------------------------------------------------------------

  /** For example {@code http://127.0.0.1:43210}; https with TLS. */
  public URI baseUrl() {
    return URI.create((certificate == null ? "http" : "https") + "://127.0.0.1:" + port());
  }

  /** The port on 127.0.0.1. */
  public int port() {
    return server.port();
  }

  /**
   * The certificate that clients must trust, as PEM.
   *
   * @throws IllegalStateException without TLS
   */
  public String certificatePem() {
    return requireCertificate().pem();
  }

  /**
   * The certificate that clients must trust.
   *
   * @throws IllegalStateException without TLS
   */
  public X509Certificate certificate() {
    return requireCertificate().certificate();
  }

  /**
   * The certificate that clients must trust, in a temporary PEM file that {@link #close} deletes.
   *
   * @throws IllegalStateException without TLS
   */
  public synchronized Path certificateFile() {
    Path file = certificateFile;
    if (file == null) {
      try {
        file = requireCertificate().writtenTo(Files.createTempFile("claude-simulator", ".pem"));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      certificateFile = file;
    }
    return file;
  }

  // ---- What it answers ------------------------------------------------------------------------

  /** Queues the answer to one more {@code POST /v1/messages}. */
  public ClaudeSimulator answers(Answer next) {
    script.add(Objects.requireNonNull(next, "next"));
    return this;
  }

  /** Answers so from now on, whenever nothing is queued. */
  public ClaudeSimulator answersAlways(Answer always) {
    Objects.requireNonNull(always, "always");
    return answersBy(request -> always);
  }

  /**
   * Asks this function from now on, whenever nothing is queued. It runs on an event loop and must
   * not block. What it throws, a failed assertion too, is answered with status 500 and told by
   * {@link SeenRequest#toString}.
   */
  public ClaudeSimulator answersBy(Function<SeenRequest, Answer> function) {
    script.standing(Objects.requireNonNull(function, "function"));
    return this;
  }

  /**
   * Answers so to every request of this method and path, in place of the simulator's endpoint. Only
   * key and version are checked before, not the body; but a message is streamed when the body says
   * {@code "stream":true}, whatever the path.
   */
  public ClaudeSimulator answersTo(String method, String path, Answer always) {
    script.path(method, path, always);
    return this;
  }

  /** Closes the listening port: connections are refused. Open ones stay. */
  public ClaudeSimulator refuseConnections() {
    server.refuseConnections();
    return this;
  }

  /**
   * Listens again on the same port.
   *
   * @throws UncheckedIOException if somebody else has taken it meanwhile
   */
  public ClaudeSimulator acceptConnections() {
    server.acceptConnections();
    return this;
  }

  /** Closes every open connection, idle or not. */
  public ClaudeSimulator closeConnections() {
    server.closeConnections();
    return this;
  }

  /** Resets (RST) every open connection, idle or not. */
  public ClaudeSimulator resetConnections() {
    server.resetConnections();
    return this;
  }

  // ---- What it saw ----------------------------------------------------------------------------

  /** Every request of any path, in the order in which they were complete. */
  public List<SeenRequest> requests() {
    return log.all();
  }

  /**
   * The latest request.
   *
   * @throws AssertionError if there was none
   */
  public SeenRequest lastRequest() {
    return log.last();
  }

  /**
   * Waits until a request has come, is understood and has its answer chosen: what is scripted
   * afterwards is for later requests.
   *
   * @param index its place since the start or the last reset, from 0
   * @throws AssertionError if it did not come in time
   */
  public SeenRequest awaitRequest(int index, Duration timeout) {
    return log.await(index, timeout);
  }

  /**
   * How many requests came since the start or the last reset, of any path. A function given to
   * {@link #answersBy} finds the request that it answers counted.
   */
  public int attempts() {
    return log.count();
  }

  /** Connections that are open now, idle ones included. */
  public int openConnections() {
    return server.openConnections();
  }

  /** Answers that are under way now, streams or not. */
  public int openStreams() {
    return server.openStreams();
  }

  /** Forgets requests and scripts. Answers under way go on. */
  public void reset() {
    script.clear();
    log.clear();
  }

  /** For the next test: listens, has no answer under way, and is reset. */
  void startAfresh() {
    server.acceptConnections();
    server.endAnswers();
    reset();
  }

  /**
   * Closes the port and all connections and ends the threads. Waits for ten seconds at most, so
   * that a function of {@link #answersBy} that blocks does not hold it up; what such a function
   * keeps from being closed is closed when it returns.
   */
  @Override
  public void close() {
    close(Duration.ofSeconds(10));
  }

  void close(Duration patience) {
    server.close(patience);
    synchronized (this) {
      if (certificateFile != null) {
        try {
          Files.deleteIfExists(certificateFile);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  private ThrowAwayCertificate requireCertificate() {
    if (certificate == null) {
      throw new IllegalStateException("Without TLS there is no certificate: see builder().tls()");
    }
    return certificate;
  }

  /** What can be set before the start. Not thread-safe. */
  public static final class Builder {
    private static final long MAX_BODY_BYTES = 32L << 20;

    private int port;
    private int threads = 2;
    private boolean tls;
    private boolean gzip = true;
    private boolean padding = true;
    private long seed = System.nanoTime();
    private boolean rateLimitHeaders = true;
    private boolean validation = true;
    private boolean recordEventTimes;
    private boolean chat;
    private int rememberedRequests = 100_000;
    private TokenPace pace = TokenPace.FULL_SPEED;
    private Duration firstTokenDelay = Duration.ZERO;
    private Duration pingInterval = Duration.ofSeconds(30);
    private @Nullable String apiKey;
    private Function<SeenRequest, Answer> initial =
        request -> Answer.text("Hello", "! How can I help you today?");

    private Builder() {}

    /** A fixed port; 0, the default, takes a free one. */
    public Builder port(int port) {
      this.port = port;
      return this;
    }

    /** HTTPS with a throw-away certificate; off by default. */
    public Builder tls() {
      this.tls = true;
      return this;
    }

    /** Event-loop threads for everything; 2 by default. */
    public Builder threads(int threads) {
      if (threads < 1) {
        throw new IllegalArgumentException("threads: " + threads + " (expected: 1 or more)");
      }
      this.threads = threads;
      return this;
    }

    /** The pace of every answer that sets none; full speed by default. */
    public Builder pace(TokenPace pace) {
      this.pace = Objects.requireNonNull(pace, "pace");
      return this;
    }

    /** An even pace; 0 means full speed. */
    public Builder tokensPerSecond(double tokensPerSecond) {
      return pace(TokenPace.of(tokensPerSecond));
    }

    /** The wait before the head of every message; zero by default. */
    public Builder firstTokenDelay(Duration delay) {
      this.firstTokenDelay = Objects.requireNonNull(delay, "delay");
      return this;
    }

    /** The longest silence of a scripted pause before a ping; 30 seconds by default. */
    public Builder pingInterval(Duration interval) {
      if (interval.isNegative() || interval.isZero()) {
        throw new IllegalArgumentException(
            "interval: " + interval + " (expected: above 0; a long one for no pings)");
      }
      this.pingInterval = interval;
      return this;
    }

    /**
     * Makes padding, ids and jitter the same in every run: those of an answer follow from the seed
     * and from how many requests came before it since the start.
     */
    public Builder paddingSeed(long seed) {
      this.seed = seed;
      this.padding = true;
      return this;
    }

    /** Sends no padding before an event's last brace. */
    public Builder noPadding() {
      this.padding = false;
      return this;
    }

    /**
     * Accepts only this key; by default any key that is not empty.
     *
     * @throws IllegalArgumentException if it is blank, which no request could present
     */
    public Builder apiKey(String key) {
      if (Objects.requireNonNull(key, "key").isBlank()) {
        throw new IllegalArgumentException("key: blank (expected: the only key to accept)");
      }
      this.apiKey = key.strip();
      return this;
    }

    /** Whether messages are compressed when the request allows it; true by default. */
    public Builder gzip(boolean gzip) {
      this.gzip = gzip;
      return this;
    }

    /** Sends no rate-limit headers, as for organisations with high limits. */
    public Builder withoutRateLimitHeaders() {
      this.rateLimitHeaders = false;
      return this;
    }

    /** Answers any request by script, without a look at key, version or body. */
    public Builder withoutValidation() {
      this.validation = false;
      return this;
    }

    /** Keeps the send time of each event for {@link SeenRequest#eventsSentAfter}. */
    public Builder recordEventTimes() {
      this.recordEventTimes = true;
      return this;
    }

    /** How many requests, with their bodies, are kept; 100,000 by default. */
    public Builder rememberRequests(int count) {
      this.rememberedRequests = count;
      return this;
    }

    /** What to answer when nothing is queued, also after a reset. */
    public Builder answersBy(Function<SeenRequest, Answer> function) {
      this.initial = Objects.requireNonNull(function, "function");
      this.chat = false;
      return this;
    }

    /**
     * Answers as in a chat, at a human pace: plausible Markdown, and on demand everything of {@link
     * ChatFaults}. Sets the pace to {@link TokenPace#human} and the first-token delay to 400 ms;
     * call {@link #pace} and {@link #firstTokenDelay} afterwards to change them.
     */
    public Builder chat() {
      pace(TokenPace.human());
      firstTokenDelay(Duration.ofMillis(400));
      chat = true;
      return this;
    }

    /**
     * Starts listening.
     *
     * @throws UncheckedIOException if it cannot, such as when the port is taken
     */
    public ClaudeSimulator start() {
      long chatSeed = seed;
      Function<SeenRequest, Answer> given = initial;
      Supplier<Function<SeenRequest, Answer>> from =
          chat ? () -> new ChatAnswers(chatSeed) : () -> given;
      return new ClaudeSimulator(
          new SimulatorSettings(
              port,
              threads,
              tls,
              gzip,
              padding,
              seed,
              rateLimitHeaders,
              validation,
              recordEventTimes,
              rememberedRequests,
              pace,
              firstTokenDelay.toNanos(),
              pingInterval.toNanos(),
              MAX_BODY_BYTES,
              apiKey),
          from);
    }
  }
}
