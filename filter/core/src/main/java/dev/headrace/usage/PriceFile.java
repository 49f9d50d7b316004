package dev.headrace.usage;

import java.math.BigDecimal;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The content of a price file. Immutable.
 *
 * @param fastFactor multiplies the prices of a row without fast prices; null when not given
 * @param batchFactor multiplies all prices of tokens; null when not given
 * @param webSearch US dollars for one web search; null when not given
 * @param rows for each model, in the order of the file
 */
record PriceFile(
    String version,
    @Nullable BigDecimal fastFactor,
    @Nullable BigDecimal batchFactor,
    @Nullable BigDecimal webSearch,
    Map<String, List<PriceRow>> rows) {

  PriceFile {
    rows = Map.copyOf(rows);
  }

  /**
   * These prices, except what the operator's file says otherwise: the rows of the models that it
   * names, all of them, and the factors that it gives.
   */
  PriceFile with(PriceFile own) {
    Map<String, List<PriceRow>> all = new HashMap<>(rows);
    all.putAll(own.rows);
    return new PriceFile(
        version + " + " + own.version,
        own.fastFactor == null ? fastFactor : own.fastFactor,
        own.batchFactor == null ? batchFactor : own.batchFactor,
        own.webSearch == null ? webSearch : own.webSearch,
        all);
  }
}
