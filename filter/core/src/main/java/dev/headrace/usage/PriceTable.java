package dev.headrace.usage;

import static java.util.Objects.requireNonNull;

import dev.headrace.messages.MessageUsage;
import dev.headrace.messages.UsageView;
import dev.headrace.spi.Tokens;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What tokens cost, by model, day, size of the prompt and way of serving (API reference, "Usage and
 * cost", as of 2026-11-22). Immutable but for the models it has warned of; thread-safe.
 *
 * <p>All amounts are US dollars with {@value #SCALE} decimals. Where the price is not known, the
 * amount is null and never zero. Not part of an amount, because one answer does not tell: code
 * execution, {@code fallback_credit}, and the commitments of tier {@code priority}, which counts as
 * {@code standard}.
 */
public final class PriceTable {
  static final int SCALE = 12;

  private static final String RESOURCE = "prices.yaml";

  /**
   * By how much a prompt may be longer than the estimate: newer models count some 30 % more tokens
   * (API reference, "Usage and cost", as of 2026-11-22).
   */
  private static final double MORE_TOKENS = 1.3;

  private static final int MILLION_DIGITS = 6;
  private static final int DATE_DIGITS = 8;
  private static final BigDecimal NOTHING = BigDecimal.ZERO.setScale(SCALE);

  private final String version;
  private final BigDecimal fastFactor;
  private final BigDecimal batchFactor;
  private final BigDecimal webSearch;
  private final Map<String, List<PriceRow>> rows;
  private final UnknownModels unknown = new UnknownModels();

  private PriceTable(PriceFile file) {
    version = file.version();
    fastFactor = requireNonNull(file.fastFactor(), "fast-factor");
    batchFactor = requireNonNull(file.batchFactor(), "batch-factor");
    webSearch = requireNonNull(file.webSearch(), "web-search");
    rows = file.rows();
  }

  /** The prices that come with the gateway. */
  public static PriceTable builtIn() {
    return new PriceTable(builtInFile());
  }

  /**
   * The prices that come with the gateway, and those of the operator.
   *
   * @param ownRows a file of the form of {@code config/prices.yaml}; it replaces all rows of the
   *     models that it names. Null for none
   * @throws PriceFileException with all problems, if there is any; also when the file cannot be
   *     read
   */
  public static PriceTable load(@Nullable Path ownRows) {
    PriceFile builtIn = builtInFile();
    return new PriceTable(ownRows == null ? builtIn : builtIn.with(PriceFileReader.read(ownRows)));
  }

  private static PriceFile builtInFile() {
    try (InputStream in =
        requireNonNull(PriceTable.class.getResourceAsStream(RESOURCE), RESOURCE)) {
      String yaml = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return PriceFileReader.read(yaml, RESOURCE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The version of the prices, that of the operator's own rows included. */
  public String version() {
    return version;
  }

  /**
   * The cost of a message.
   *
   * @param model of the answer, such as {@code claude-haiku-4-5-20251001}
   * @param usage final totals, or an estimate of them
   * @param when the day, in UTC, decides on the price
   * @param charged false for a refusal before any output, which costs nothing
   * @return null if a model that was used has no price; that is logged once per model
   */
  public @Nullable BigDecimal costUsd(
      @Nullable String model, MessageUsage usage, Instant when, boolean charged) {
    return costUsd(
        model,
        usage,
        when,
        charged ? BilledPart.Ending.ANSWERED : BilledPart.Ending.REFUSED_AT_ONCE);
  }

  /**
   * The cost of a message that ended as this view tells.
   *
   * @param usage final totals, or an estimate of them
   * @param when the day, in UTC, decides on the price
   * @return null if a model that was used has no price; that is logged once per model
   */
  public @Nullable BigDecimal costUsd(UsageView view, MessageUsage usage, Instant when) {
    return costUsd(view.model(), usage, when, BilledPart.Ending.of(view));
  }

  private @Nullable BigDecimal costUsd(
      @Nullable String model, MessageUsage usage, Instant when, BilledPart.Ending ending) {
    if (ending == BilledPart.Ending.REFUSED_AT_ONCE && usage.iterations().isEmpty()) {
      return NOTHING;
    }
    LocalDate day = dayOf(when);
    boolean known = true;
    BigDecimal sum = BigDecimal.ZERO;
    for (BilledPart part : BilledPart.of(usage, model, ending)) {
      PriceRow row = find(part.model(), day, part.promptTokens());
      if (row == null) {
        known = false;
        unknown.warn(part.model(), version);
      } else {
        sum = sum.add(microUsd(part, row, usage));
      }
    }
    if (!known) {
      return null;
    }
    if ("batch".equals(usage.serviceTier())) {
      sum = sum.multiply(batchFactor);
    }
    BigDecimal searches = webSearch.multiply(BigDecimal.valueOf(usage.webSearches()));
    return amount(sum.movePointLeft(MILLION_DIGITS).add(searches));
  }

  /**
   * At most what a request costs, as far as can be said before it is made: every input token at the
   * dearest of the prices for input and cache writes, in the dearer band where the prompt may come
   * to reach it.
   *
   * @param inputTokens estimate of the whole prompt; decides on the band; below 0 is 0
   * @param outputTokens most tokens that may come; below 0 is 0
   * @param serving what the request asks for that makes it dearer
   * @return null if the model has no price; nothing is logged, because the name is the client's
   *     word
   */
  public @Nullable BigDecimal estimateUsd(
      @Nullable String model, long inputTokens, long outputTokens, Instant when, Serving serving) {
    LocalDate day = dayOf(when);
    long input = Math.max(0, inputTokens);
    PriceRow row = find(model, day, input);
    PriceRow further = find(model, day, (long) (input * MORE_TOKENS));
    if (row == null || further == null) {
      return null;
    }
    BigDecimal output = BigDecimal.valueOf(Math.max(0, outputTokens));
    BigDecimal here = row.microUsd(BigDecimal.valueOf(input), output, serving, fastFactor);
    BigDecimal there = further.microUsd(BigDecimal.valueOf(input), output, serving, fastFactor);
    return amount(here.max(there).movePointLeft(MILLION_DIGITS));
  }

  /** For a request without any surcharge. */
  public @Nullable BigDecimal estimateUsd(
      @Nullable String model, long inputTokens, long outputTokens, Instant when) {
    return estimateUsd(model, inputTokens, outputTokens, when, Serving.ORDINARY);
  }

  /**
   * What a request may ask for that makes the same tokens dearer.
   *
   * @param fast {@code "speed": "fast"}
   * @param us {@code "inference_geo": "us"}
   */
  public record Serving(boolean fast, boolean us) {
    /** Neither. */
    public static final Serving ORDINARY = new Serving(false, false);
  }

  /**
   * The tokens that are billed: the sum over the iterations if there are any, else the totals.
   * Cache writes whose time was not told count as five minutes. Also of an answer that is not
   * charged, whose tokens are shown nevertheless.
   */
  public static Tokens billedTokens(MessageUsage usage) {
    long input = 0;
    long output = 0;
    long read = 0;
    long write5m = 0;
    long write1h = 0;
    for (BilledPart part : BilledPart.of(usage, null, BilledPart.Ending.ANSWERED)) {
      input += part.input();
      output += part.output();
      read += part.read();
      write5m += part.write5m();
      write1h += part.write1h();
    }
    return new Tokens(
        input,
        output,
        read,
        write5m,
        write1h,
        usage.thinkingTokens(),
        usage.webSearches(),
        usage.webFetches());
  }

  /** The ids of all models that have a price. */
  Set<String> models() {
    return rows.keySet();
  }

  private BigDecimal microUsd(BilledPart part, PriceRow row, MessageUsage usage) {
    Rates rates = row.rates("fast".equals(usage.speed()), fastFactor);
    BigDecimal sum =
        rates
            .input()
            .multiply(BigDecimal.valueOf(part.input()))
            .add(rates.cacheWrite5m().multiply(BigDecimal.valueOf(part.write5m())))
            .add(rates.cacheWrite1h().multiply(BigDecimal.valueOf(part.write1h())))
            .add(rates.cacheRead().multiply(BigDecimal.valueOf(part.read())))
            .add(rates.output().multiply(BigDecimal.valueOf(part.output())));
    return "us".equals(usage.inferenceGeo()) ? sum.multiply(row.usFactor()) : sum;
  }

  private @Nullable PriceRow find(@Nullable String model, LocalDate day, long promptTokens) {
    if (model == null) {
      return null;
    }
    List<PriceRow> ofModel = rows.get(model);
    if (ofModel == null && isDated(model)) {
      ofModel = rows.get(model.substring(0, model.length() - DATE_DIGITS - 1));
    }
    PriceRow best = null;
    for (PriceRow row : ofModel == null ? List.<PriceRow>of() : ofModel) {
      if (row.isFor(day, promptTokens) && (best == null || row.isBefore(best))) {
        best = row;
      }
    }
    return best;
  }

  /** Whether a model ends in {@code -YYYYMMDD}. */
  private static boolean isDated(String model) {
    int dash = model.length() - DATE_DIGITS - 1;
    if (dash <= 0 || model.charAt(dash) != '-') {
      return false;
    }
    for (int i = dash + 1; i < model.length(); i++) {
      if (model.charAt(i) < '0' || model.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }

  private static LocalDate dayOf(Instant when) {
    return LocalDate.ofInstant(when, ZoneOffset.UTC);
  }

  private static BigDecimal amount(BigDecimal usd) {
    return usd.setScale(SCALE, RoundingMode.HALF_UP);
  }
}
