package dev.headrace.usage;

import dev.headrace.observe.BestEffort;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says once of each model that its price is unknown, and of at most {@value #MAX_NAMES}: the names
 * come from the network. Thread-safe.
 */
final class UnknownModels {
  static final int MAX_NAMES = 100;
  static final int MAX_NAME_LENGTH = 100;

  private static final Logger LOG = LoggerFactory.getLogger(UnknownModels.class);

  private final Set<String> seen = new HashSet<>();

  void warn(@Nullable String model, String prices) {
    String name = model == null || model.isEmpty() ? "(none)" : printable(model);
    int count;
    synchronized (seen) {
      if (seen.size() == MAX_NAMES || !seen.add(name)) {
        return;
      }
      count = seen.size();
    }
    BestEffort.log(() -> say(name, prices, count));
  }

  private static void say(String name, String prices, int count) {
    LOG.warn(
        "No price for the model {}: its tokens are recorded without a cost. Add it to a price file"
            + " of your own (prices {}).",
        name,
        prices);
    if (count == MAX_NAMES) {
      LOG.warn("{} models without a price so far; further ones are not named.", MAX_NAMES);
    }
  }

  /** Keeps a name from forging log lines. */
  private static String printable(String name) {
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < Math.min(name.length(), MAX_NAME_LENGTH); i++) {
      char c = name.charAt(i);
      shown.append(c <= ' ' || c > '~' ? '?' : c);
    }
    return shown.toString();
  }
}
