package dev.headrace.chain;

import jakarta.servlet.FilterRegistration;
import jakarta.servlet.ServletContext;
import jakarta.servlet.annotation.WebFilter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The filters that a request passes before it comes to the gateway, as far as the Servlet API, the
 * application's descriptors and its classes tell. What cannot be found out is not counted against
 * anybody. Immutable and thread-safe.
 */
public final class FiltersInFront {

  private static final Logger LOG = LoggerFactory.getLogger(FiltersInFront.class);

  private final String place;
  private final List<FilterInFront> inFront;
  private final List<FilterInFront> perhapsInFront;

  private FiltersInFront(
      String place, List<FilterInFront> inFront, List<FilterInFront> perhapsInFront) {
    this.place = place;
    this.inFront = List.copyOf(inFront);
    this.perhapsInFront = List.copyOf(perhapsInFront);
  }

  /**
   * Those in front of a servlet.
   *
   * @param patterns what the servlet is mapped to
   * @param servlet its name; null if it is not known
   */
  public static FiltersInFront ofServlet(
      ServletContext context, Collection<String> patterns, @Nullable String servlet) {
    return of(context, patterns, servlet, null);
  }

  /**
   * Those in front of a filter, which are those that {@code web.xml} maps before it.
   *
   * @param pattern what it answers of all that it sees
   * @param filter its name
   */
  public static FiltersInFront ofFilter(ServletContext context, String pattern, String filter) {
    return of(context, List.of(pattern), null, filter);
  }

  private static FiltersInFront of(
      ServletContext context,
      Collection<String> patterns,
      @Nullable String servlet,
      @Nullable String filter) {
    String place = String.join(", ", patterns);
    try {
      return look(context, patterns, servlet, filter, place);
    } catch (RuntimeException | LinkageError e) {
      LOG.debug("The filters of this application could not be looked at", e);
      return new FiltersInFront(place, List.of(), List.of());
    }
  }

  /**
   * Whether {@code web.xml} maps a filter for requests and not for {@code ASYNC}; false where it
   * does not say.
   */
  public static boolean missesDispatches(ServletContext context, String filter) {
    try {
      return WebXml.of(context).seesNoDispatches(filter);
    } catch (RuntimeException | LinkageError e) {
      LOG.debug("web.xml could not be looked at", e);
      return false;
    }
  }

  private static FiltersInFront look(
      ServletContext context,
      Collection<String> patterns,
      @Nullable String servlet,
      @Nullable String filter,
      String place) {
    Map<String, FilterRegistration> all = new TreeMap<>(context.getFilterRegistrations());
    if (filter != null) {
      all.remove(filter);
    }
    List<FilterInFront> certain = new ArrayList<>();
    List<FilterInFront> possible = new ArrayList<>();
    WebXml webXml = all.isEmpty() ? null : WebXml.of(context);
    if (webXml != null) {
      int ours = filter == null ? Integer.MAX_VALUE : webXml.position(filter);
      all.forEach(
          (name, registration) -> {
            boolean mapped =
                registration.getUrlPatternMappings().stream()
                        .anyMatch(pattern -> overlaps(pattern, patterns))
                    || (servlet != null && registration.getServletNameMappings().contains(servlet));
            if (mapped && !webXml.seesNoRequests(name)) {
              int theirs = webXml.position(name);
              boolean known = filter == null || (theirs >= 0 && ours >= 0);
              if (!known) {
                possible.add(filter(name, registration, webXml, context));
              } else if (theirs < ours) {
                certain.add(filter(name, registration, webXml, context));
              }
            }
          });
      certain.sort(
          Comparator.comparingInt(
              each -> {
                int position = webXml.position(each.name());
                return position < 0 ? Integer.MAX_VALUE : position;
              }));
    }
    return new FiltersInFront(place, certain, possible);
  }

  private static FilterInFront filter(
      String name, FilterRegistration registration, WebXml webXml, ServletContext context) {
    String className = registration.getClassName();
    if (className == null) {
      className = "";
    }
    FilterInFront.Async async = FilterInFront.Async.UNKNOWN;
    FilterInFront.Source source = FilterInFront.Source.CODE;
    WebFilter annotation = annotation(className, context.getClassLoader());
    if (webXml.declares(name)) {
      source = FilterInFront.Source.DESCRIPTOR;
      if (webXml.isAsyncSupported(name)) {
        async = FilterInFront.Async.SUPPORTED;
      } else if (annotation == null || !annotation.asyncSupported()) { // else it may be merged
        async = FilterInFront.Async.NOT_SUPPORTED;
      }
    } else if (annotation != null && isOf(annotation, name, className)) {
      source = FilterInFront.Source.ANNOTATION;
      async =
          annotation.asyncSupported()
              ? FilterInFront.Async.SUPPORTED
              : FilterInFront.Async.NOT_SUPPORTED;
    }
    return new FilterInFront(
        name, className, async, source, FilterCode.effect(className, context.getClassLoader()));
  }

  /** Else code has registered the class, in its own way (Spring Boot does so with beans). */
  private static boolean isOf(WebFilter annotation, String name, String className) {
    return name.equals(annotation.filterName().isEmpty() ? className : annotation.filterName());
  }

  private static @Nullable WebFilter annotation(String className, @Nullable ClassLoader loader) {
    try {
      return loader == null
          ? null
          : Class.forName(className, false, loader).getAnnotation(WebFilter.class);
    } catch (ClassNotFoundException | LinkageError e) {
      return null;
    }
  }

  /** Whether a filter of this pattern sees requests for one of ours (Servlet 5.0, 12.2). */
  static boolean overlaps(String theirs, Collection<String> ours) {
    return ours.stream().anyMatch(pattern -> overlaps(theirs, pattern));
  }

  private static boolean overlaps(String theirs, String ours) {
    boolean oursIsPath = ours.equals("/") || ours.endsWith("/*");
    boolean theirsIsPath = theirs.endsWith("/*");
    String ourPath = ours.equals("/") ? "/" : withoutStar(ours);
    if (theirs.startsWith("*.")) {
      return ours.equals(theirs); // no path of the gateway's has an extension
    }
    if (theirsIsPath && oursIsPath) {
      String theirPath = withoutStar(theirs);
      return ourPath.startsWith(theirPath) || theirPath.startsWith(ourPath);
    }
    if (theirsIsPath) {
      return (ours + "/").startsWith(withoutStar(theirs));
    }
    return oursIsPath
        ? (theirs + "/").startsWith(ourPath) && theirs.length() > 1
        : theirs.equals(ours);
  }

  /** {@code /a/*} as {@code /a/}, so that {@code /ab} is not taken for something below it. */
  private static String withoutStar(String pattern) {
    return pattern.substring(0, pattern.length() - 1);
  }

  /**
   * Says once, when the application starts, what lies in front and what is to be changed: WARN if
   * anything is.
   */
  public void report() {
    if (inFront.isEmpty()) {
      return;
    }
    if (inFront.stream().anyMatch(FilterInFront::needsChange)) {
      LOG.warn("{}", description());
    } else {
      LOG.info("{}", description());
    }
  }

  /** The report: a line for the gateway's place and one for each filter. */
  String description() {
    StringBuilder text = new StringBuilder();
    text.append("Filters in front of Headrace at ").append(place).append(':');
    for (FilterInFront filter : inFront) {
      text.append("\n  ").append(filter.title()).append(": ").append(meaning(filter));
    }
    return text.toString();
  }

  private String meaning(FilterInFront filter) {
    List<String> parts = new ArrayList<>();
    switch (filter.effect()) {
      case COMPRESSES ->
          parts.add(
              "seems to compress answers, which holds events back; let it pass over the gateway: "
                  + bypass(filter));
      case BUFFERS ->
          parts.add(
              "seems to collect answers, so that events come all together at the end; let it pass"
                  + " over the gateway: "
                  + bypass(filter));
      case REPLACES_STREAM ->
          parts.add("puts an output stream of its own around answers, which may be harmless");
      case NONE -> {
        // nothing to say
      }
    }
    switch (filter.async()) {
      case NOT_SUPPORTED ->
          parts.add(
              "does not support asynchronous requests, so that each stream holds a thread of the"
                  + " container; change: "
                  + filter.asyncRemedy());
      case SUPPORTED -> parts.add("supports asynchronous requests");
      case UNKNOWN -> {
        if (parts.isEmpty()) {
          parts.add("nothing to object to");
        }
      }
    }
    return String.join("; ", parts);
  }

  /** How a filter that must not touch streams is kept from it, without changing its code. */
  private String bypass(FilterInFront filter) {
    return filter.source() == FilterInFront.Source.DESCRIPTOR
        ? "in web.xml, map "
            + filter.name()
            + " to the application's own paths and not to "
            + place
            + ", or declare dev.headrace.GatewayFilter and put its <filter-mapping> before"
            + " <filter-mapping><filter-name>"
            + filter.name()
            + "</filter-name> and behind the login"
        : "map "
            + filter.name()
            + " to the application's own paths and not to "
            + place
            + ", or put dev.headrace.GatewayFilter before it and behind the login";
  }

  /** What lets asynchronous requests pass: the filters known to stop them, with what to change. */
  public String asyncRemedy() {
    List<String> known =
        inFront.stream()
            .filter(filter -> filter.async() == FilterInFront.Async.NOT_SUPPORTED)
            .map(filter -> filter.title() + ": " + filter.asyncRemedy())
            .toList();
    return known.isEmpty() ? "" : String.join("; ", known);
  }

  /** The filters that a wrapper most probably is of, and what is to be changed there. */
  String remedyFor(List<String> wrapperClasses) {
    for (String wrapper : wrapperClasses) {
      FilterInFront filter = ownerOf(wrapper);
      if (filter != null) {
        return "It is most probably of the filter "
            + filter.title()
            + ". "
            + sentence(bypass(filter));
      }
    }
    List<String> titles = everybody().stream().map(FilterInFront::title).toList();
    return (titles.isEmpty()
            ? "No registered filter is of the same package."
            : "Filters in front are " + String.join(", ", titles) + ".")
        + " The one that wraps answers must not be mapped to "
        + place
        + ", or has to lie behind dev.headrace.GatewayFilter.";
  }

  private static String sentence(String text) {
    return Character.toUpperCase(text.charAt(0)) + text.substring(1) + ".";
  }

  private List<FilterInFront> everybody() {
    List<FilterInFront> all = new ArrayList<>(inFront);
    all.addAll(perhapsInFront);
    return all;
  }

  /** By nesting, then by the longest package in common; null if nothing speaks for anybody. */
  @Nullable FilterInFront ownerOf(String wrapperClass) {
    FilterInFront best = null;
    int bestLength = 0;
    for (FilterInFront filter : everybody()) {
      int length = kinship(filter.className(), wrapperClass);
      boolean better =
          length > bestLength
              || (length == bestLength
                  && best != null
                  && best.effect().compareTo(filter.effect()) < 0);
      if (length > 0 && better) {
        best = filter;
        bestLength = length;
      }
    }
    return best;
  }

  /** How many parts two class names have in common at their beginning; 0 if it is one or none. */
  private static int kinship(String filterClass, String wrapperClass) {
    if (filterClass.isEmpty()) {
      return 0;
    }
    if (wrapperClass.equals(filterClass) || wrapperClass.startsWith(filterClass + "$")) {
      return Integer.MAX_VALUE;
    }
    String[] first = filterClass.split("\\.", -1);
    String[] second = wrapperClass.split("\\.", -1);
    int common = 0;
    while (common < Math.min(first.length, second.length) - 1
        && first[common].equals(second[common])) {
      common++;
    }
    return common < 2 ? 0 : common;
  }
}
