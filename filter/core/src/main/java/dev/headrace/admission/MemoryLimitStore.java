package dev.headrace.admission;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import dev.headrace.admission.UserState.Decision;
import dev.headrace.admission.UserState.Held;
import dev.headrace.admission.UserState.Now;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the limits of all users in the memory of this process and answers at once. Thread-safe: one
 * user is looked at by one thread at a time, and different users do not wait for each other but for
 * the few that share a bin of the map.
 *
 * <p>The state of a user who has streams running is kept in any case; there are no more of those
 * than permits of the gateway. The states of all others are bounded. When there are more users than
 * that, those who were seen rarely and long ago are forgotten and start afresh. A state is dropped
 * once its windows are over, because a new one would say the same.
 */
public final class MemoryLimitStore implements LimitStore {

  /** Longer names are remembered by their digest: the bound is on the heap, not just on users. */
  private static final int MAX_NAME_LENGTH = 128;

  /** Users without running streams, by name. Its lock for a name guards that user's state. */
  private final Cache<String, Remembered> idle;

  /** Users with running streams, by name. Written under the lock of {@link #idle} for the name. */
  private final ConcurrentHashMap<String, UserState> running = new ConcurrentHashMap<>();

  private final LongSupplier nanoTime;
  private final InstantSource wall;

  /**
   * @param maxUsers how many users without running streams are remembered; above zero
   * @param nanoTime for the periods of requests; as {@link System#nanoTime}
   * @param wall for calendar windows
   */
  public MemoryLimitStore(int maxUsers, LongSupplier nanoTime, InstantSource wall) {
    this.nanoTime = nanoTime;
    this.wall = wall;
    idle =
        Caffeine.newBuilder()
            .maximumSize(maxUsers)
            .expireAfter(Expiry.writing((String name, Remembered user) -> user.memory))
            .ticker(nanoTime::getAsLong)
            .executor(Runnable::run) // no thread of its own, and not the common pool
            .build();
  }

  @Override
  public PendingAdmission admit(
      String user, Limits limits, Demand demand, Consumer<? super Admission> answer) {
    Question question = new Question(limits, demand);
    String key = key(user);
    update(key, question);
    Decision decision = question.decision;
    if (decision == null) {
      throw new IllegalStateException("no decision");
    }
    if (decision.held() == null) {
      if (decision.refusal() == null) {
        throw new IllegalStateException("neither granted nor refused");
      }
      answer.accept(new Admission.Refused(decision.refusal()));
      return PendingAdmission.ANSWERED;
    }
    Reservation reservation =
        new MemoryReservation(this, key, question.state, limits, demand, decision);
    try {
      answer.accept(new Admission.Granted(reservation, decision.refusal()));
    } catch (RuntimeException | Error e) {
      reservation.cancel(); // nobody else will
      throw e;
    }
    return PendingAdmission.ANSWERED;
  }

  /** Ends what a reservation holds; called once for each. */
  void settle(
      String key, UserState state, Held held, long inputTokens, long outputTokens, long cost) {
    update(
        key,
        (current, now) -> {
          state.settle(held, inputTokens, outputTokens, cost);
          return state;
        });
  }

  /** Changes the state of a user for a reservation, unless that is ended before. */
  void whileOpen(String key, UserState state, AtomicBoolean open, Runnable change) {
    update(
        key,
        (current, now) -> {
          if (open.get()) { // who ends it waits for the lock that is held here
            change.run();
          }
          return current == null ? state : current;
        });
  }

  /** Gives everything back that a reservation holds; called once for each. */
  void cancel(String key, UserState state, Held held) {
    update(
        key,
        (current, now) -> {
          state.cancel(held, now);
          return state;
        });
  }

  /** Forgets the users whose windows are over; else that happens as others come. Quick. */
  public void cleanUp() {
    idle.cleanUp();
  }

  /** How many users are remembered, about. */
  public long users() {
    return idle.estimatedSize() + running.size();
  }

  /** How many users have streams running. */
  public int usersWithStreams() {
    return running.size();
  }

  /** What is known of a user, or null; for tests. */
  @Nullable UserState peek(String user) {
    UserState state = running.get(key(user));
    if (state != null) {
      return state;
    }
    Remembered remembered = idle.getIfPresent(key(user));
    return remembered == null ? null : remembered.state;
  }

  /** Does something with a user's state. */
  private interface Update {
    UserState apply(@Nullable UserState state, Now now);
  }

  private static final class Question implements Update {
    private final Limits limits;
    private final Demand demand;
    private UserState state = new UserState();
    private @Nullable Decision decision;

    Question(Limits limits, Demand demand) {
      this.limits = limits;
      this.demand = demand;
    }

    @Override
    public UserState apply(@Nullable UserState known, Now now) {
      state = known == null ? state : known;
      decision = state.admit(limits, demand, now);
      return state;
    }
  }

  /**
   * Changes one user's state under the lock for the name, and puts it where it belongs then. The
   * map's own atomic update is that lock, so that an eviction cannot come between.
   */
  private void update(String key, Update update) {
    idle.asMap()
        .compute(
            key,
            (name, remembered) -> {
              UserState known = remembered == null ? running.get(name) : remembered.state;
              Now now = new Now(nanoTime.getAsLong(), wall.instant());
              UserState state = update.apply(known, now);
              if (state.activeStreams() > 0) {
                running.put(name, state);
                return null;
              }
              running.remove(name);
              Duration memory = state.memory(now);
              if (memory.isZero()) {
                return null;
              }
              state.rest(now);
              return new Remembered(state, memory);
            });
  }

  /** A user without running streams, and for how long there is something to remember. */
  private static final class Remembered {
    private final UserState state;
    private final Duration memory;

    Remembered(UserState state, Duration memory) {
      this.state = state;
      this.memory = memory;
    }
  }

  private static String key(String user) {
    if (user.length() <= MAX_NAME_LENGTH) {
      return user;
    }
    return "\0sha256:" + HexFormat.of().formatHex(Sha256.of(user.getBytes(UTF_8)));
  }
}
