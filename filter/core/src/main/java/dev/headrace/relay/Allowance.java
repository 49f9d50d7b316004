package dev.headrace.relay;

import dev.headrace.admission.Admission;
import dev.headrace.admission.Demand;
import dev.headrace.admission.LimitStore.PendingAdmission;
import dev.headrace.admission.Limits;
import dev.headrace.admission.Price;
import dev.headrace.admission.Refusal;
import dev.headrace.admission.Reservation;
import dev.headrace.admission.UpstreamBody;
import dev.headrace.messages.MessageUsage;
import dev.headrace.messages.RequestHead;
import dev.headrace.messages.UsageView;
import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Tokens;
import dev.headrace.upstream.HeaderField;
import dev.headrace.usage.PriceTable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What one exchange may use of its user's limits: asked for before the upstream is, settled when
 * all is over. Nothing assumes that the store answers at once. Thread-safe.
 */
final class Allowance {

  /** What the exchange is told. */
  interface Listener {

    /**
     * It may run, with this body.
     *
     * @param wouldRefuse what would have refused it if its plan were in force; else null
     */
    void onAllowed(UpstreamBody body, @Nullable Refusal wouldRefuse);

    /** It may not run, and has cost the user nothing. */
    void onRefused(Refusal refusal);
  }

  /** Of text, a token takes about so many bytes; of everything else more. */
  private static final int BYTES_PER_TOKEN = 4;

  /** No prompt is longer, however many bytes its pictures take. */
  private static final long LONGEST_PROMPT = 1_000_000;

  /** What a document or picture may take that is referred to: the API fetches it, not we. */
  private static final long TOKENS_OF_REFERENCE = 100_000;

  private static final int PICO_DIGITS = 12;

  /** What the prompt of this usage costs: it changes seldom, and is asked for with each event. */
  private record PricedInput(MessageUsage usage, long cost) {}

  private final Entrant entrant;
  private final Limits limits;
  private final PriceTable prices;
  private final Map<String, List<String>> fallbacks;

  // Set once, each before whoever reads it can come.
  private volatile @Nullable PendingAdmission pending;
  private volatile @Nullable Reservation reservation;
  private volatile boolean stream;
  private volatile Instant startedAt = Instant.EPOCH;
  private volatile long inputCost = Reservation.UNKNOWN;

  private volatile @Nullable PricedInput pricedInput;
  private volatile @Nullable String served; // the model, once it is known, if it has a price

  // Guarded by this.
  private boolean over;
  private Tokens dropped = Tokens.NONE;
  private BigDecimal droppedCost = BigDecimal.ZERO;

  /**
   * @param fallbacks other models that may be asked, by model
   */
  Allowance(
      Entrant entrant, Limits limits, PriceTable prices, Map<String, List<String>> fallbacks) {
    this.entrant = entrant;
    this.limits = limits;
    this.prices = prices;
    this.fallbacks = fallbacks;
  }

  /** Asks for what the request may come to use; the answer may come before this returns. */
  void ask(Admittance door, UpstreamBody body, Instant at, Listener listener) {
    startedAt = at;
    Demand demand = demand(body, at);
    PendingAdmission asked =
        door.limits()
            .admit(
                entrant.account(),
                limits,
                demand,
                admission -> answered(admission, body, listener));
    pending = asked;
    if (isOver()) {
      leave(asked);
    }
  }

  private void answered(Admission admission, UpstreamBody body, Listener listener) {
    if (admission instanceof Admission.Refused refused) {
      listener.onRefused(refused.refusal());
      return;
    }
    Admission.Granted granted = (Admission.Granted) admission;
    Reservation held = granted.reservation();
    reservation = held;
    if (isOver()) {
      held.cancel(); // the client left while the store was asked
      return;
    }
    Long asked = body.head().maxTokens();
    boolean lowers = mayLower(body) && asked != null && held.allowedOutputTokens() < asked;
    listener.onAllowed(
        lowers ? body.withMaxTokens(held.allowedOutputTokens()) : body, granted.wouldRefuse());
  }

  /** An answer in one piece cannot be ended in the middle, so it has to be asked for shorter. */
  private boolean mayLower(UpstreamBody body) {
    return limits.enforcement() == Limits.Enforcement.REFUSE
        && (limits.shortfall() == Limits.Shortfall.LOWER_MAX_TOKENS
            || (entrant.plan().stopsAtBudget() && !body.head().stream()));
  }

  private Demand demand(UpstreamBody body, Instant at) {
    Long asked = body.head().maxTokens();
    long output = asked == null ? 0 : Math.max(0, asked);
    long written = 1L + body.length() / BYTES_PER_TOKEN;
    long referred = body.head().references() * TOKENS_OF_REFERENCE;
    long input = Math.min(LONGEST_PROMPT, written + referred);
    Price price = price(body, input, at);
    while (referred > 0 && !canEverFit(input, output, price)) {
      referred /= 2; // as much as the budgets have, so that such requests come one by one
      input = Math.min(LONGEST_PROMPT, written + referred);
      price = price(body, input, at);
    }
    stream = body.head().stream();
    inputCost = price == null ? Reservation.UNKNOWN : price.ofInput(input);
    return new Demand(input, output, price);
  }

  /** Whether budgets that nothing was used of would be enough. */
  private boolean canEverFit(long input, long output, @Nullable Price price) {
    long least = limits.shortfall() == Limits.Shortfall.REFUSE ? output : Math.min(1, output);
    return limits.budgets().stream()
        .allMatch(
            budget ->
                switch (budget.kind()) {
                  case INPUT_TOKENS -> input <= budget.amount();
                  case COST ->
                      price == null
                          || price.ofInput(input) + price.ofOutput(least) <= budget.amount();
                  default -> true;
                });
  }

  /** Null when nobody needs it or it is not known. */
  private @Nullable Price price(UpstreamBody body, long input, Instant at) {
    String model = body.head().model();
    if (model == null
        || !entrant.plan().hasCostBudget()
        || prices.estimateUsd(model, 1, 1, at) == null) {
      return null;
    }
    List<String> models = new ArrayList<>();
    models.add(model);
    models.addAll(fallbacks.getOrDefault(model, List.of()));
    models.removeIf(each -> prices.estimateUsd(each, 1, 1, at) == null);
    BigDecimal dearer = surcharge(body.head());
    return new Price() {
      @Override
      public long ofInput(long tokens) {
        return dearest(each -> pico(prices.estimateUsd(each, tokens, 0, at), dearer));
      }

      @Override
      public long ofOutput(long tokens) {
        // At the band that the prompt leads to.
        return dearest(
            each -> {
              BigDecimal all = prices.estimateUsd(each, input, tokens, at);
              BigDecimal prompt = prices.estimateUsd(each, input, 0, at);
              return all == null || prompt == null ? 0 : pico(all.subtract(prompt), dearer);
            });
      }

      /** Of the models that may serve it, until one does. */
      private long dearest(ToLongFunction<String> price) {
        String known = served;
        return known != null
            ? price.applyAsLong(known)
            : models.stream().mapToLong(price).max().orElse(0);
      }
    };
  }

  private static long pico(@Nullable BigDecimal usd, BigDecimal dearer) {
    return usd == null
        ? 0
        : usd.multiply(dearer)
            .movePointRight(PICO_DIGITS)
            .setScale(0, RoundingMode.CEILING)
            .min(BigDecimal.valueOf(Long.MAX_VALUE / 4))
            .longValueExact();
  }

  /**
   * Asked to be faster or elsewhere, the same tokens cost more (API reference, "Usage and cost").
   */
  private static BigDecimal surcharge(RequestHead head) {
    BigDecimal factor = BigDecimal.ONE;
    if ("fast".equals(head.speed())) {
      factor = factor.multiply(BigDecimal.valueOf(2));
    }
    if ("us".equals(head.inferenceGeo())) {
      factor = factor.multiply(new BigDecimal("1.1"));
    }
    return factor;
  }

  private synchronized boolean isOver() {
    return over;
  }

  private static void leave(@Nullable PendingAdmission asked) {
    if (asked != null) {
      asked.leave();
    }
  }

  /** The user's own limits as response headers; empty before the request was allowed. */
  List<HeaderField> headers() {
    Reservation held = reservation;
    return held == null ? List.of() : RateLimitHeaders.of(held);
  }

  /**
   * Whether a running stream has used up the budgets, in a plan that stops there. Takes more from
   * them where what was reserved is not enough. An answer that has told why it stopped is whole.
   *
   * @param view what it has used so far
   */
  boolean isUsedUp(UsageView view) {
    Reservation held = reservation;
    if (held == null || !entrant.plan().stopsAtBudget() || view.stopReason() != null) {
      return false;
    }
    noteServed(view.model());
    long next = view.estimatedOutputTokens() + 1;
    long input = inputCost(view);
    return !held.covers(next, input) && !held.extend(next, input);
  }

  private void noteServed(@Nullable String model) {
    if (model != null
        && !model.equals(served)
        && prices.estimateUsd(model, 1, 1, startedAt) != null) {
      served = model;
    }
  }

  /** What the prompt costs in pico-dollars, as the API has counted it. */
  @SuppressWarnings("ReferenceEquality") // another object when the API has told more
  private long inputCost(UsageView view) {
    MessageUsage usage = view.usage();
    if (usage == null || !entrant.plan().hasCostBudget()) {
      return Reservation.UNKNOWN;
    }
    PricedInput last = pricedInput;
    if (last == null || last.usage != usage) {
      BigDecimal usd = prices.costUsd(view.model(), usage.withOutput(0), startedAt, true);
      last = new PricedInput(usage, usd == null ? Reservation.UNKNOWN : pico(usd, BigDecimal.ONE));
      pricedInput = last;
    }
    return last.cost;
  }

  /** Adds what an attempt has used that was given up. */
  synchronized void addDropped(UsageBook.Used used) {
    dropped = sum(dropped, used.tokens());
    BigDecimal cost = used.costUsd();
    droppedCost = cost == null ? droppedCost : droppedCost.add(cost);
  }

  /**
   * Ends it. The first call counts.
   *
   * @param used by the answer; null if the upstream was never asked, so that even the request comes
   *     back
   * @param whole whether all of the answer has gone to the client
   */
  void end(UsageBook.@Nullable Used used, boolean whole) {
    synchronized (this) {
      if (over) {
        return;
      }
      over = true;
    }
    leave(pending);
    Reservation held = reservation;
    if (held == null) {
      return;
    }
    if (used == null) {
      held.cancel();
    } else if (used.accuracy() == Accuracy.UNKNOWN) {
      settleUnknown(held, whole);
    } else {
      Tokens tokens = sum(dropped, used.tokens());
      BigDecimal cost = used.costUsd();
      held.settle(
          // As the API counts its own limit: what is read from the cache is not input.
          tokens.input() + tokens.cacheWrite5m() + tokens.cacheWrite1h(),
          tokens.output(),
          cost == null ? Reservation.UNKNOWN : pico(cost.add(droppedCost), BigDecimal.ONE));
    }
  }

  /**
   * The API had the prompt and told nothing that could be read. A stream that was cut has not begun
   * then, so only its prompt counts, as it was estimated, and what earlier attempts have used; of a
   * whole one, and of an answer in one piece, nobody knows how much was written, so all that was
   * reserved counts.
   */
  private synchronized void settleUnknown(Reservation held, boolean whole) {
    if (stream && !whole) {
      long cost =
          inputCost == Reservation.UNKNOWN
              ? Reservation.UNKNOWN
              : inputCost + pico(droppedCost, BigDecimal.ONE);
      held.settle(Reservation.UNKNOWN, dropped.output(), cost);
    } else {
      held.settle(Reservation.UNKNOWN, Reservation.UNKNOWN, Reservation.UNKNOWN);
    }
  }

  private static Tokens sum(Tokens one, Tokens other) {
    return new Tokens(
        one.input() + other.input(),
        one.output() + other.output(),
        one.cacheRead() + other.cacheRead(),
        one.cacheWrite5m() + other.cacheWrite5m(),
        one.cacheWrite1h() + other.cacheWrite1h(),
        one.thinking() + other.thinking(),
        one.webSearches() + other.webSearches(),
        one.webFetches() + other.webFetches());
  }
}
