package dev.headrace.relay;

import static java.util.Objects.requireNonNull;

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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

    /**
     * In the place of both, or because one of them has thrown this: whoever has asked may be gone,
     * and nobody else would answer.
     */
    void onFailed(Throwable cause);
  }

  /** Of text, a token takes about so many bytes; of everything else more. */
  private static final int BYTES_PER_TOKEN = 4;

  /** No prompt is longer, however many bytes its pictures take. */
  private static final long LONGEST_PROMPT = 1_000_000;

  /** What a document or picture may take that the API fetches, or a document that it unpacks. */
  private static final long TOKENS_OF_REFERENCE = 100_000;

  private static final int PICO_DIGITS = 12;

  /** So that sums of a few do not overflow. */
  private static final long MOST_PICO = Long.MAX_VALUE / 4;

  /** What the prompt of this usage costs: it changes seldom, and is asked for with each event. */
  private record PricedInput(@Nullable String model, MessageUsage usage, long cost) {}

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

  private volatile @Nullable Demand demand;
  private volatile long sentOutput; // max_tokens as it was sent

  private volatile @Nullable String unpriced;

  private volatile @Nullable PricedInput pricedInput;
  private volatile @Nullable String served; // the model, once it is known, if it has a price

  // Guarded by this.
  private boolean over;
  private Tokens dropped = Tokens.NONE;
  private BigDecimal droppedCost = BigDecimal.ZERO;
  private boolean anyDropped;

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
    Demand wanted = demand(body, at);
    demand = wanted;
    PendingAdmission asked =
        door.limits()
            .admit(
                entrant.account(),
                limits,
                wanted,
                admission -> {
                  try {
                    answered(admission, body, listener);
                  } catch (RuntimeException | Error e) {
                    listener.onFailed(e);
                  }
                });
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
    boolean lowers = mayLower() && asked != null && held.allowedOutputTokens() < asked;
    sentOutput = asked == null ? 0 : lowers ? held.allowedOutputTokens() : Math.max(0, asked);
    listener.onAllowed(
        lowers ? body.withMaxTokens(held.allowedOutputTokens()) : body, granted.wouldRefuse());
  }

  /**
   * Also where streams are stopped: an answer in one piece cannot be, and thinking that is not
   * shown is told of at the end only.
   */
  private boolean mayLower() {
    return limits.enforcement() == Limits.Enforcement.REFUSE
        && (limits.shortfall() == Limits.Shortfall.LOWER_MAX_TOKENS
            || entrant.plan().stopsAtBudget());
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
    RequestHead head = body.head();
    String model = head.model();
    if (model == null || !entrant.plan().hasCostBudget()) {
      return null;
    }
    Set<String> models = new LinkedHashSet<>(Set.of(model));
    models.addAll(head.fallbackModels());
    Set<String> helpers = head.toolModels(); // each asked besides, with the prompt
    String missing = unpriced(models, at);
    missing = missing == null ? unpriced(helpers, at) : missing;
    unpriced = missing;
    if (missing != null) {
      return null;
    }
    fallbacks.getOrDefault(model, List.of()).stream()
        .filter(each -> isPriced(each, at))
        .forEach(models::add);
    PriceTable.Serving serving =
        new PriceTable.Serving("fast".equals(head.speed()), "us".equals(head.inferenceGeo()));
    return new Price() {
      @Override
      public long ofInput(long tokens) {
        return dearest(each -> pico(prices.estimateUsd(each, tokens, 0, at, serving)));
      }

      @Override
      public long ofOutput(long tokens) {
        PricedInput told = pricedInput;
        if (told != null && told.cost != Reservation.UNKNOWN) {
          return Math.max(0, cost(told.model, told.usage.withOutput(tokens)) - told.cost);
        }
        // At the band that the prompt leads to.
        return dearest(
            each -> {
              BigDecimal all = prices.estimateUsd(each, input, tokens, at, serving);
              BigDecimal prompt = prices.estimateUsd(each, input, 0, at, serving);
              return all == null || prompt == null ? 0 : pico(all.subtract(prompt));
            });
      }

      /** Of the models that may serve it, until one does, and of those that help. */
      private long dearest(ToLongFunction<String> price) {
        String known = served;
        long own =
            known != null
                ? price.applyAsLong(known)
                : models.stream().mapToLong(price).max().orElse(0);
        long all = own;
        for (String helper : helpers) {
          all = Math.min(MOST_PICO, all + price.applyAsLong(helper)); // each is no more than that
        }
        return all;
      }
    };
  }

  /** The first model of the request whose price is needed and not known; null if there is none. */
  @Nullable String unpricedModel() {
    return unpriced;
  }

  private @Nullable String unpriced(Set<String> models, Instant at) {
    for (String model : models) {
      if (!isPriced(model, at)) {
        return model;
      }
    }
    return null;
  }

  private boolean isPriced(String model, Instant at) {
    return prices.estimateUsd(model, 1, 1, at) != null;
  }

  private static long pico(@Nullable BigDecimal usd) {
    return usd == null
        ? 0
        : usd.movePointRight(PICO_DIGITS)
            .setScale(0, RoundingMode.CEILING)
            .min(BigDecimal.valueOf(MOST_PICO))
            .longValueExact();
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
      String model = view.model();
      last = new PricedInput(model, usage, cost(model, usage.withOutput(0)));
      pricedInput = last;
    }
    return last.cost;
  }

  /** In pico-dollars, at the speed, place and band that the API has told. */
  private long cost(@Nullable String model, MessageUsage usage) {
    BigDecimal usd = prices.costUsd(model, usage, startedAt, true);
    return usd == null ? Reservation.UNKNOWN : pico(usd);
  }

  /**
   * Adds what an attempt has used that was given up; where nobody knows, what was reserved for it:
   * a stream that told nothing has written nothing, but had its prompt read.
   */
  synchronized void addDropped(UsageBook.Used used) {
    boolean unknown = used.accuracy() == Accuracy.UNKNOWN;
    dropped = sum(dropped, unknown ? reservedFor(!stream) : used.tokens());
    BigDecimal cost = unknown ? reservedCost(!stream) : used.costUsd();
    droppedCost = cost == null ? droppedCost : droppedCost.add(cost);
    anyDropped = true;
  }

  /** What was reserved for one attempt. */
  private Tokens reservedFor(boolean withOutput) {
    Demand reserved = requireNonNull(demand);
    return new Tokens(reserved.inputTokens(), withOutput ? sentOutput : 0, 0, 0, 0, 0, 0, 0);
  }

  private @Nullable BigDecimal reservedCost(boolean withOutput) {
    Demand reserved = requireNonNull(demand);
    Price price = reserved.price();
    if (price == null) {
      return null;
    }
    long output = withOutput ? price.ofOutput(sentOutput) : 0;
    return BigDecimal.valueOf(price.ofInput(reserved.inputTokens()) + output, PICO_DIGITS);
  }

  /**
   * Ends it. The first call counts.
   *
   * @param used by the answer; null if the upstream was never asked, so that even the request comes
   *     back
   * @param whole whether all of the answer has gone to the client
   */
  void end(UsageBook.@Nullable Used used, boolean whole) {
    Tokens before;
    BigDecimal costBefore;
    boolean afterOthers;
    synchronized (this) {
      if (over) {
        return;
      }
      over = true;
      before = dropped;
      costBefore = droppedCost;
      afterOthers = anyDropped;
    }
    leave(pending);
    Reservation held = reservation;
    if (held == null) {
      return;
    }
    if (used == null) {
      held.cancel();
    } else if (used.accuracy() != Accuracy.UNKNOWN) {
      settle(held, sum(before, used.tokens()), used.costUsd(), costBefore);
    } else if (afterOthers) {
      boolean written = isWritten(whole);
      settle(held, sum(before, reservedFor(written)), reservedCost(written), costBefore);
    } else {
      settleUnknown(held, whole);
    }
  }

  private static void settle(
      Reservation held, Tokens tokens, @Nullable BigDecimal cost, BigDecimal costBefore) {
    held.settle(
        // As the API counts its own limit: what is read from the cache is not input.
        tokens.input() + tokens.cacheWrite5m() + tokens.cacheWrite1h(),
        tokens.output(),
        cost == null ? Reservation.UNKNOWN : pico(cost.add(costBefore)));
  }

  /** The API had the prompt and told nothing that could be read. */
  private void settleUnknown(Reservation held, boolean whole) {
    if (isWritten(whole)) {
      held.settle(Reservation.UNKNOWN, Reservation.UNKNOWN, Reservation.UNKNOWN);
    } else {
      held.settle(Reservation.UNKNOWN, 0, inputCost);
    }
  }

  /**
   * Whether an answer of which nothing could be read may have been written. A stream that was cut
   * has not begun then, so that only its prompt counts, as it was estimated; of a whole one, and of
   * an answer in one piece, nobody knows how much was written, so all that was reserved counts.
   */
  private boolean isWritten(boolean whole) {
    return !stream || whole;
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
