package dev.headrace.containers;

import java.lang.management.ManagementFactory;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.ObjectName;

/** The objects that a collection leaves, by class: what {@code jcmd GC.class_histogram} prints. */
record LiveObjects(Map<String, OfClass> classes) {

  private static final Pattern LINE = Pattern.compile("\\d+: +(\\d+) +(\\d+) +(\\S+)");

  private static final OfClass NONE = new OfClass(0, 0);

  /** What there is of one class. */
  record OfClass(long instances, long bytes) {

    OfClass minus(OfClass other) {
      return new OfClass(instances - other.instances, bytes - other.bytes);
    }
  }

  /** Collects first, and stops the JVM for as long as counting takes. */
  static LiveObjects now() {
    Map<String, OfClass> classes = new HashMap<>();
    Matcher line = LINE.matcher(histogram());
    while (line.find()) {
      classes.merge(
          line.group(3),
          new OfClass(Long.parseLong(line.group(1)), Long.parseLong(line.group(2))),
          (a, b) -> new OfClass(a.instances() + b.instances(), a.bytes() + b.bytes()));
    }
    return new LiveObjects(Map.copyOf(classes));
  }

  private static String histogram() {
    try {
      return (String)
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "gcClassHistogram",
                  new Object[] {new String[0]},
                  new String[] {String[].class.getName()});
    } catch (JMException e) {
      throw new IllegalStateException("this JVM does not count its objects", e);
    }
  }

  /** How many there are of the class of this name. */
  long instances(String className) {
    return classes.getOrDefault(className, NONE).instances();
  }

  /** The classes that have grown most since, for a reader. */
  String growthSince(LiveObjects earlier) {
    Map<String, OfClass> growth = new HashMap<>();
    classes.forEach(
        (name, now) -> growth.put(name, now.minus(earlier.classes.getOrDefault(name, NONE))));
    return growth.entrySet().stream()
        .sorted(Comparator.comparingLong(one -> -one.getValue().bytes()))
        .limit(20)
        .map(
            one ->
                "%s: %+d bytes, %+d objects"
                    .formatted(one.getKey(), one.getValue().bytes(), one.getValue().instances()))
        .collect(Collectors.joining(System.lineSeparator()));
  }
}
