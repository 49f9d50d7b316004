package dev.headrace.usage;

import dev.headrace.messages.Printable;
import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Tokens;
import dev.headrace.spi.UsageRecord;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * Sums of all usage records since the start, for metrics. By the model that has answered, which is
 * the API's word and not the client's; beyond the first models all others are one, {@code other},
 * and so is what no model is called: a long name, or one with line breaks. Thread-safe.
 */
public final class UsageTotals {

  /** The model of records without an answer. */
  public static final String NO_MODEL = "none";

  /** All models behind the first {@link #MAX_MODELS}, and all with names that cannot be theirs. */
  public static final String OTHER_MODELS = "other";

  static final int MAX_MODELS = 50;

  /** The classes of tokens that are billed differently, and what else is counted. */
  public enum TokenClass {
    /** Uncached input. */
    INPUT,
    /** Output with thinking. */
    OUTPUT,
    /** Input read from the prompt cache. */
    CACHE_READ,
    /** Input written to the prompt cache for five minutes. */
    CACHE_WRITE_5M,
    /** Input written to the prompt cache for one hour. */
    CACHE_WRITE_1H,
    /** The part of the output that was thinking. */
    THINKING
  }

  private final Map<String, OfModel> models = new ConcurrentHashMap<>();
  private final List<String> seen = new ArrayList<>(); // guarded by itself
  private final List<Consumer<String>> onFirst = new CopyOnWriteArrayList<>();
  private final Map<Accuracy, LongAdder> byAccuracy = new EnumMap<>(Accuracy.class);
  private final LongAdder withoutPrice = new LongAdder();

  private static final class OfModel {
    private final Map<TokenClass, LongAdder> tokens = new EnumMap<>(TokenClass.class);
    private BigDecimal cost = BigDecimal.ZERO; // guarded by this

    private OfModel() {
      for (TokenClass each : TokenClass.values()) {
        tokens.put(each, new LongAdder());
      }
    }

    private void add(TokenClass tokenClass, long count) {
      LongAdder adder = tokens.get(tokenClass);
      if (adder != null && count != 0) {
        adder.add(count);
      }
    }

    private synchronized void addCost(BigDecimal more) {
      cost = cost.add(more);
    }

    private synchronized BigDecimal cost() {
      return cost;
    }
  }

  UsageTotals() {
    for (Accuracy accuracy : Accuracy.values()) {
      byAccuracy.put(accuracy, new LongAdder());
    }
  }

  void add(UsageRecord usage) {
    LongAdder accuracy = byAccuracy.get(usage.accuracy());
    if (accuracy != null) {
      accuracy.increment();
    }
    OfModel model = ofModel(usage.modelServed() == null ? NO_MODEL : usage.modelServed());
    Tokens tokens = usage.tokens();
    model.add(TokenClass.INPUT, tokens.input());
    model.add(TokenClass.OUTPUT, tokens.output());
    model.add(TokenClass.CACHE_READ, tokens.cacheRead());
    model.add(TokenClass.CACHE_WRITE_5M, tokens.cacheWrite5m());
    model.add(TokenClass.CACHE_WRITE_1H, tokens.cacheWrite1h());
    model.add(TokenClass.THINKING, tokens.thinking());
    if (usage.costUsd() == null) {
      withoutPrice.increment();
    } else {
      model.addCost(usage.costUsd());
    }
  }

  private OfModel ofModel(String name) {
    OfModel known = models.get(name);
    return known != null ? known : newModel(name);
  }

  private OfModel newModel(String name) {
    String label;
    OfModel added = new OfModel();
    synchronized (seen) {
      OfModel known = models.get(name);
      if (known != null) {
        return known;
      }
      boolean plain = Printable.name(name).equals(name);
      label = plain && seen.size() < MAX_MODELS ? name : OTHER_MODELS;
      known = models.get(label);
      if (known != null) {
        return known;
      }
      models.put(label, added);
      seen.add(label);
    }
    onFirst.forEach(listener -> listener.accept(label));
    return added;
  }

  /**
   * Calls back with each model that has not been counted before; then possibly twice.
   *
   * @param listener must not throw
   * @return removes it
   */
  public Runnable onFirst(Consumer<String> listener) {
    onFirst.add(listener);
    return () -> onFirst.remove(listener);
  }

  /** Every model that has been counted. */
  public List<String> models() {
    synchronized (seen) {
      return List.copyOf(seen);
    }
  }

  /** Tokens of one class that answers of this model have used. */
  public long tokens(String model, TokenClass tokenClass) {
    OfModel known = models.get(model);
    LongAdder adder = known == null ? null : known.tokens.get(tokenClass);
    return adder == null ? 0 : adder.sum();
  }

  /** What answers of this model have cost, as far as their price was known, in US dollars. */
  public BigDecimal costUsd(String model) {
    OfModel known = models.get(model);
    return known == null ? BigDecimal.ZERO : known.cost();
  }

  /** Records of this accuracy. */
  public long records(Accuracy accuracy) {
    LongAdder adder = byAccuracy.get(accuracy);
    return adder == null ? 0 : adder.sum();
  }

  /** Records whose cost is not known. */
  public long recordsWithoutPrice() {
    return withoutPrice.sum();
  }
}
