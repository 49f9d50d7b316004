package dev.headrace.upstream;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The upstreams behind the gateway and what all attempts share: the client, the members to choose
 * from, the rules and the budget of retries. Thread-safe.
 */
public final class UpstreamPool implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(UpstreamPool.class);

  /** So that one slow look-up of a host name does not hold up every other attempt. */
  private static final int STARTERS = 2;

  /**
   * What came of choosing a member.
   *
   * @param member null when none can be asked now
   * @param restNanos how long until one can be, where some only rest; zero when all breakers refuse
   * @param retryAfter when a breaker may permit a call again, where all refuse
   */
  record Pick(@Nullable PoolMember member, long restNanos, Duration retryAfter) {}

  private final GatewaySettings settings;
  private final UpstreamClient client;
  private final TimeSource time;
  private final RandomGenerator random;
  private final List<PoolMember> members;
  private final RetryPolicy policy;
  private final RetryBudget budget;
  private final Executor starter;
  private final LongAdder attempts = new LongAdder();
  private final LongAdder retries = new LongAdder();
  private final LongAdder retriesOverBudget = new LongAdder();
  private final LongAdder fallbacks = new LongAdder();

  /** Starts the client. */
  public UpstreamPool(GatewaySettings settings, TimeSource time) {
    this(settings, new ApacheUpstreamClient(settings), time);
  }

  /**
   * With another client than the one that ships.
   *
   * @param client closed together with this
   */
  public UpstreamPool(GatewaySettings settings, UpstreamClient client, TimeSource time) {
    this(settings, client, time, new Random(), newStarter());
  }

  /**
   * @param starter where attempts are started that may wait for an address or for the application's
   *     key, and all that are not the first: looking up a host name may block, and neither a thread
   *     of the container, nor the one that reads the upstream, nor the one that watches the clocks
   *     may be held up. Also, Jetty drops the news that an HTTP/2 client has left while a thread of
   *     its own is still busy with the request (12.1.14, ServletChannelState.asyncError)
   */
  UpstreamPool(
      GatewaySettings settings,
      UpstreamClient client,
      TimeSource time,
      RandomGenerator random,
      Executor starter) {
    this.settings = settings;
    this.starter = starter;
    this.client = client;
    this.time = time;
    this.random = random;
    try {
      this.policy = new RetryPolicy(settings.retry(), random);
      this.budget =
          new RetryBudget(
              settings.retry().budgetPercent(),
              settings.retry().budgetPerSecond(),
              time.nanoTime());
      this.members = members(settings, time);
    } catch (RuntimeException | Error e) { // such as an older library of the application's
      client.close(); // it runs, and nobody else has it
      throw e;
    }
  }

  private static List<PoolMember> members(GatewaySettings settings, TimeSource time) {
    GatewaySettings.Upstream upstream = settings.upstream();
    return upstream.resolvedMembers().stream()
        .map(
            member ->
                new PoolMember(
                    member,
                    member.baseUrl() == null ? upstream.baseUrl() : member.baseUrl(),
                    apiKeyOf(upstream, member),
                    settings.breaker(),
                    time))
        .toList();
  }

  private static ThreadPoolExecutor newStarter() {
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            STARTERS,
            STARTERS,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new RememberedAddresses.Patient(task, "headrace-attempts");
              thread.setDaemon(true);
              thread.setContextClassLoader(UpstreamPool.class.getClassLoader());
              return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  /** A source of the application's is asked for every call; a key of the settings is read once. */
  private static Supplier<Secret> apiKeyOf(
      GatewaySettings.Upstream upstream, GatewaySettings.Member member) {
    Supplier<Secret> source = upstream.apiKeySource();
    if (source != null && member.apiKey() == null && member.apiKeyFile() == null) {
      return source;
    }
    Secret key = upstream.readApiKey(member);
    return () -> key;
  }

  /**
   * Prepares the attempts of one exchange; nothing is sent before {@link Attempts#start}.
   *
   * @param call what to ask
   * @param startNanos when the exchange began, for {@code timeouts.total}
   * @param listener told what comes back
   */
  public Attempts attempts(UpstreamCall call, long startNanos, Attempts.Listener listener) {
    return new Attempts(this, call, startNanos, listener);
  }

  // ---- for attempts

  GatewaySettings settings() {
    return settings;
  }

  UpstreamClient client() {
    return client;
  }

  TimeSource time() {
    return time;
  }

  RetryPolicy policy() {
    return policy;
  }

  Executor starter() {
    return starter;
  }

  /**
   * Whether to start an attempt is to ask neither the application for a key nor anybody for an
   * address.
   */
  boolean startsAtOnce() {
    if (settings.upstream().apiKeySource() != null) {
      return false;
    }
    for (PoolMember member : members) {
      if (!client.hasIdleConnection(member.origin())) {
        return false;
      }
    }
    return true;
  }

  /** Counts a request, which pays into the budget of retries. */
  void countRequest() {
    budget.request();
  }

  void countAttempt(boolean retry) {
    attempts.increment();
    if (retry) {
      retries.increment();
    }
  }

  /** Takes a retry out of the budget, if there is one left. */
  boolean tryRetry() {
    boolean allowed = budget.tryRetry();
    if (!allowed) {
      retriesOverBudget.increment();
    }
    return allowed;
  }

  void countFallback() {
    fallbacks.increment();
  }

  /** Whether a resting member can be left alone because there are others. */
  boolean hasChoice() {
    return members.size() > 1;
  }

  /**
   * Chooses a member whose breaker has permitted one attempt, preferably one that does not rest,
   * whose account was not refused lately and that was not tried before.
   *
   * @param limits that the request counts against: its model, and what else has some of its own
   * @param tried members that have failed in this exchange, with these limits
   */
  Pick pick(String limits, Collection<PoolMember> tried) {
    List<PoolMember> candidates = new ArrayList<>(members);
    candidates.removeIf(member -> !member.mayPermit());
    while (!candidates.isEmpty()) {
      PoolMember chosen = choose(candidates, limits, tried);
      if (chosen.restNanos(limits) > 0 && hasChoice()) {
        return new Pick(null, soonestNanos(limits), Duration.ZERO);
      }
      if (chosen.tryPermit()) {
        return new Pick(chosen, 0, Duration.ZERO);
      }
      candidates.remove(chosen);
    }
    Duration soonest = members.get(0).permitsAfter();
    for (PoolMember member : members) {
      Duration after = member.permitsAfter();
      soonest = after.compareTo(soonest) < 0 ? after : soonest;
    }
    return new Pick(null, 0, soonest);
  }

  private PoolMember choose(
      List<PoolMember> candidates, String limits, Collection<PoolMember> tried) {
    List<PoolMember> good = notRefused(candidates);
    List<PoolMember> awake = good.stream().filter(each -> each.restNanos(limits) <= 0).toList();
    if (awake.isEmpty()) {
      PoolMember first = good.get(0);
      for (PoolMember each : good) {
        first = each.restNanos(limits) < first.restNanos(limits) ? each : first;
      }
      return first;
    }
    List<PoolMember> fresh = awake.stream().filter(each -> !tried.contains(each)).toList();
    List<PoolMember> choice = fresh.isEmpty() ? awake : fresh;
    return settings.upstream().selection() == GatewaySettings.Selection.ORDERED
        ? choice.get(0)
        : byWeight(choice);
  }

  /** Without those whose account was refused lately; all of them if there is no other. */
  private static List<PoolMember> notRefused(List<PoolMember> from) {
    List<PoolMember> good = from.stream().filter(each -> !each.isRefused()).toList();
    return good.isEmpty() ? from : good;
  }

  private PoolMember byWeight(List<PoolMember> choice) {
    int sum = choice.stream().mapToInt(PoolMember::weight).sum();
    int at = random.nextInt(sum);
    for (PoolMember each : choice) {
      at -= each.weight();
      if (at < 0) {
        return each;
      }
    }
    return choice.get(0);
  }

  /**
   * How long until some member could be asked in these limits, where that is worth waiting for
   * because one only rests; zero if one can be asked now, and without a choice: whether a limit
   * holds for this request too is then for the upstream to say.
   */
  long restNanos(String limits) {
    List<PoolMember> permitted =
        notRefused(members.stream().filter(PoolMember::mayPermit).toList());
    boolean allRest =
        !permitted.isEmpty() && permitted.stream().allMatch(each -> each.restNanos(limits) > 0);
    return allRest && hasChoice() ? soonestNanos(limits) : 0;
  }

  /** Until the first has rested or its breaker may permit a call again, whichever comes later. */
  private long soonestNanos(String limits) {
    long soonest = Long.MAX_VALUE;
    for (PoolMember member : notRefused(members)) {
      soonest = Math.min(soonest, member.readyInNanos(limits));
    }
    return Math.max(1, soonest); // one may have become ready just now
  }

  /** Whether another member could be asked in these limits at once. */
  boolean hasFresh(String limits, Collection<PoolMember> tried) {
    return notRefused(members.stream().filter(PoolMember::mayPermit).toList()).stream()
        .anyMatch(each -> !tried.contains(each) && each.restNanos(limits) <= 0);
  }

  // ---- for operators

  /**
   * What happened so far. Immutable.
   *
   * @param attempts upstream calls
   * @param retries those of them that were not the first of their exchange
   * @param retriesOverBudget retries that did not take place because the budget was used up
   * @param fallbacks attempts with another model than the client asked for
   */
  public record Counts(long attempts, long retries, long retriesOverBudget, long fallbacks) {}

  /** What happened since the start. */
  public Counts counts() {
    return new Counts(attempts.sum(), retries.sum(), retriesOverBudget.sum(), fallbacks.sum());
  }

  /**
   * One member as an operator sees it. Immutable.
   *
   * @param name from the settings
   * @param breaker {@code closed}, {@code open}, {@code half-open} or {@code disabled}
   * @param rests how long it still rests because a limit was reached, for the model that it does so
   *     longest for; zero when for none
   */
  public record MemberState(String name, String breaker, Duration rests) {}

  /** How the members are at this moment. */
  public List<MemberState> members() {
    return members.stream().map(UpstreamPool::stateOf).toList();
  }

  /**
   * How one member is at this moment.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  public MemberState member(String name) {
    return members.stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .map(UpstreamPool::stateOf)
        .orElseThrow(() -> new IllegalArgumentException(name));
  }

  private static MemberState stateOf(PoolMember member) {
    return new MemberState(member.name(), member.breakerState(), member.longestRest());
  }

  /** The number of upstream connections that an attempt holds at this moment. */
  public int connectionsInUse() {
    return client.connectionsInUse();
  }

  /** Closes connections that have been idle or alive for too long; cheap. */
  public void closeExpired() {
    client.closeExpired();
  }

  /** Ends all attempts and stops all threads. Idempotent. */
  @Override
  public void close() {
    if (!(starter instanceof ThreadPoolExecutor threads)) {
      client.close();
      return;
    }
    threads.shutdownNow();
    client.close();
    try {
      if (!threads.awaitTermination(5, TimeUnit.SECONDS)) {
        LOG.warn("A thread that starts attempts did not end within 5 s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
