package dev.headrace.chain;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.ServletResponseWrapper;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known of the response wrappers that filters put around the container's response, learned
 * from the answers that pass through them. Says so once for each kind of wrapper. A response that
 * nobody has wrapped costs one {@code instanceof}. Thread-safe.
 */
public final class Wrappers {

  private static final Logger LOG = LoggerFactory.getLogger(Wrappers.class);

  /** Kinds are classes of the application, but a generated class may have a new name each time. */
  private static final int MOST_KINDS = 200;

  /** What is known of one kind of wrapping. */
  enum Verdict {
    /** The stream that answers are written to is the container's own, or as good as that. */
    TRANSPARENT,
    /** Has a stream of its own through which no answer has gone yet. */
    UNKNOWN,
    /** Answers pass event by event. */
    PASSES,
    /** Answers do not, or not without holding a thread. */
    HOLDS
  }

  private final Map<String, Verdict> verdicts = new ConcurrentHashMap<>();
  private final Map<String, Boolean> told = new ConcurrentHashMap<>();
  private final Set<String> callingBack = ConcurrentHashMap.newKeySet();
  private final Consumer<Finding> counter;
  private volatile @Nullable FiltersInFront filters;

  /**
   * @param counter told of each answer for which something was found
   */
  public Wrappers(Consumer<Finding> counter) {
    this.counter = counter;
  }

  /** Says which filters there are, so that a wrapper can be told by the filter that it is of. */
  public void filters(FiltersInFront known) {
    filters = known;
  }

  /** The filters in front of the gateway that has got this request. */
  public FiltersInFront filters(HttpServletRequest request) {
    FiltersInFront known = filters;
    return known != null
        ? known
        : FiltersInFront.ofServlet(
            request.getServletContext(), List.of(request.getServletPath() + "/*"), null);
  }

  /**
   * The wrapping of a response; null if there is none that has to be thought of. Asks for its
   * output stream.
   */
  public @Nullable WrappedResponse look(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    if (!(response instanceof ServletResponseWrapper)) {
      return null;
    }
    List<Class<?>> classes = new ArrayList<>();
    ServletResponse innermost = response;
    while (innermost instanceof ServletResponseWrapper wrapper) {
      classes.add(wrapper.getClass());
      innermost = wrapper.getResponse();
    }
    if (!(innermost instanceof HttpServletResponse container)) {
      return null;
    }
    ServletOutputStream out = response.getOutputStream();
    String key = key(classes, out);
    Verdict verdict = verdicts.get(key);
    if (verdict == null) {
      verdict = firstVerdict(classes, out, container);
      if (verdicts.size() < MOST_KINDS) {
        verdicts.putIfAbsent(key, verdict);
      }
    }
    if (verdict == Verdict.TRANSPARENT) {
      return null;
    }
    List<String> names =
        classes.stream()
            .filter(type -> !FilterCode.isHarmless(type.getName()))
            .filter(FilterCode::replacesStream)
            .map(Class::getName)
            .toList();
    return new WrappedResponse(
        this, key, verdict, names, out.getClass().getName(), request, container);
  }

  private static String key(List<Class<?>> classes, ServletOutputStream out) {
    StringBuilder key = new StringBuilder();
    for (Class<?> type : classes) {
      key.append(type.getName()).append(' ');
    }
    return key.append(out.getClass().getName()).toString();
  }

  private static Verdict firstVerdict(
      List<Class<?>> classes, ServletOutputStream out, ServletResponse innermost) {
    boolean replaced =
        classes.stream()
            .filter(type -> !FilterCode.isHarmless(type.getName()))
            .anyMatch(FilterCode::replacesStream);
    return !replaced || FilterCode.isOfTheContainer(out, innermost)
        ? Verdict.TRANSPARENT
        : Verdict.UNKNOWN;
  }

  // ---- for wrapped responses ----

  void passes(String key) {
    if (verdicts.size() < MOST_KINDS || verdicts.containsKey(key)) {
      // HOLDS stays: it was found out while no thread was held.
      verdicts.merge(key, Verdict.PASSES, (old, now) -> old == Verdict.HOLDS ? old : now);
    }
  }

  void callsBack(String key) {
    if (callingBack.size() < MOST_KINDS) {
      callingBack.add(key);
    }
  }

  boolean isKnownToCallBack(String key) {
    return callingBack.contains(key);
  }

  void found(WrappedResponse wrapped, Finding finding, ServletRequest request) {
    counter.accept(finding);
    if (verdicts.size() < MOST_KINDS || verdicts.containsKey(wrapped.key())) {
      verdicts.put(wrapped.key(), Verdict.HOLDS);
    }
    String once = wrapped.key() + ' ' + finding;
    if (told.size() < MOST_KINDS && told.putIfAbsent(once, true) == null) {
      LOG.warn(
          "Answers do not stream as they should, because {} {}. {} Until then each stream"
              + " through it holds a thread of the container (blocking.max-concurrent).",
          wrapped.describe(),
          finding.effect(),
          filters((HttpServletRequest) request).remedyFor(wrapped.classes()));
    }
  }
}
