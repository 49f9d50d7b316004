package dev.headrace.chain;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The response of one request, wrapped by a filter that hands out an output stream of its own. For
 * the one thread at a time that writes the answer.
 */
public final class WrappedResponse {

  private final Wrappers wrappers;
  private final String key;
  private final Wrappers.Verdict verdict;
  private final List<String> classes;
  private final String streamClass;
  private final HttpServletRequest request;
  private final HttpServletResponse innermost;
  private volatile @Nullable Finding finding;

  /**
   * @param classes of the wrappers that replace the stream, the outermost first
   * @param innermost the container's own response
   */
  WrappedResponse(
      Wrappers wrappers,
      String key,
      Wrappers.Verdict verdict,
      List<String> classes,
      String streamClass,
      HttpServletRequest request,
      HttpServletResponse innermost) {
    this.wrappers = wrappers;
    this.key = key;
    this.verdict = verdict;
    this.classes = classes;
    this.streamClass = streamClass;
    this.request = request;
    this.innermost = innermost;
  }

  String key() {
    return key;
  }

  /** The classes of the wrappers that replace the stream, the outermost first. */
  public List<String> classes() {
    return classes;
  }

  /**
   * Whether the answer is better written before the request leaves the filters: many wrappers end
   * the answer then, whether it is complete or not. So also where nothing is known yet.
   */
  public boolean wantsThread() {
    return verdict != Wrappers.Verdict.PASSES;
  }

  /** Whether it must be written so, because an earlier answer has shown it. */
  public boolean needsThread() {
    return verdict == Wrappers.Verdict.HOLDS;
  }

  /**
   * To be called when the first bytes of a streamed answer were flushed; a filter may treat others
   * otherwise.
   */
  public void flushed() {
    String coding = innermost.getHeader("Content-Encoding");
    if (coding != null && !coding.equalsIgnoreCase("identity")) {
      found(Finding.COMPRESSED);
    } else if (!innermost.isCommitted()) {
      found(Finding.BUFFERED);
    } else {
      wrappers.passes(key);
    }
  }

  /** Whether somebody has ended or begun the answer; to be asked before the first byte of ours. */
  public boolean isCommitted() {
    try {
      return innermost.isCommitted();
    } catch (RuntimeException e) {
      return false; // the container has taken it back
    }
  }

  /** To be called when the container has called a WriteListener through the wrapper. */
  public void callsBack() {
    wrappers.callsBack(key);
  }

  /** Whether that has ever happened: it then takes long because the container is busy. */
  public boolean isKnownToCallBack() {
    return wrappers.isKnownToCallBack(key);
  }

  /** Whether this came out of a wrapper and not out of the container. */
  public boolean threw(Throwable failure) {
    StackTraceElement[] frames = failure.getStackTrace();
    if (frames.length == 0) {
      return false;
    }
    String thrower = frames[0].getClassName();
    return thrower.startsWith("java.util.zip.")
        || thrower.equals(streamClass)
        || classes.stream().anyMatch(thrower::equals);
  }

  /** Remembers what was found, and says so once. */
  public void found(Finding what) {
    finding = what;
    wrappers.found(this, what, request);
  }

  /** What was found; null if nothing was so far. */
  public @Nullable Finding finding() {
    return finding;
  }

  /** The container's own response, behind all wrappers. */
  public HttpServletResponse innermost() {
    return innermost;
  }

  /** The wrappers for a log line. */
  public String describe() {
    return String.join(" around ", classes) + " (stream: " + streamClass + ")";
  }
}
