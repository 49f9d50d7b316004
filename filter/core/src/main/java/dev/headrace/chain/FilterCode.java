package dev.headrace.chain;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.ServletResponseWrapper;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Writer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a filter's class seems to do with answers: a guess by its name and by the classes that its
 * code mentions, without running any of it. Only classes of the filter's own package, and those
 * below it, are looked at, and only what has to do with answers. Stateless.
 */
final class FilterCode {

  /** What happens to an answer on its way through a filter. */
  enum Effect {
    /** Nothing that could be seen. */
    NONE,
    /** It hands out an output stream of its own, which may be harmless. */
    REPLACES_STREAM,
    /** It collects answers, such as for a hash of them. */
    BUFFERS,
    /** It compresses answers. */
    COMPRESSES
  }

  private static final int MOST_CLASSES = 60;

  /** Lets a stream through when the gateway asks it to, which it does. */
  private static final String SPRING_ETAG =
      "org.springframework.web.filter.ShallowEtagHeaderFilter";

  private static final String SPRING_CACHING =
      "org/springframework/web/util/ContentCachingResponseWrapper";

  private static final Set<String> COMPRESSING =
      Set.of(
          "java/util/zip/GZIPOutputStream",
          "java/util/zip/DeflaterOutputStream",
          "java/util/zip/Deflater");

  private static final Set<String> BUFFERING =
      Set.of(
          "java/io/ByteArrayOutputStream",
          "java/io/CharArrayWriter",
          "java/io/StringWriter",
          SPRING_CACHING);

  /** Their streams pass on every write and every listener. */
  private static final List<String> HARMLESS =
      List.of("org.springframework.security.", "org.springframework.session.");

  /** {@code NoCompressionFilter} does not compress, {@code GzipRequestFilter} no answers. */
  private static final Pattern TELLS_NOTHING =
      Pattern.compile(
          "(No|Not|Non|Disable|Skip|Without|Bypass|Prevent)[A-Z]|Request(?!.*Response)");

  /** A word of the name, as in {@code ETagFilter}, and not {@code SiteTagFilter}. */
  private static final Pattern ETAG = Pattern.compile("E(?:[Tt]ag|TAG)|\\betag");

  private FilterCode() {}

  /**
   * @param className of the filter
   * @param loader of the application; null if it is not to be had
   */
  static Effect effect(String className, @Nullable ClassLoader loader) {
    if (isHarmless(className)) {
      return Effect.NONE;
    }
    Class<?> type = load(className, loader);
    for (Class<?> each = type; each != null; each = each.getSuperclass()) {
      if (each.getName().equals(SPRING_ETAG)) {
        return Effect.NONE;
      }
    }
    Effect byName = byName(className);
    if (byName != Effect.NONE || type == null || loader == null) {
      return byName;
    }
    try {
      return byCode(type, loader);
    } catch (IOException | RuntimeException | LinkageError e) {
      return Effect.NONE; // a class that cannot be looked at is not accused of anything
    }
  }

  /** Whether a filter or wrapper of this name is known to let streams pass. */
  static boolean isHarmless(String className) {
    return HARMLESS.stream().anyMatch(className::startsWith);
  }

  /** Whether a wrapper hands out another output stream than the one of what it wraps. */
  static boolean replacesStream(Class<?> wrapper) {
    try {
      return !wrapper
          .getMethod("getOutputStream")
          .getDeclaringClass()
          .getName()
          .startsWith("jakarta.servlet.");
    } catch (NoSuchMethodException | LinkageError e) {
      return false;
    }
  }

  private static Effect byName(String className) {
    String simple = className.substring(className.lastIndexOf('.') + 1);
    if (TELLS_NOTHING.matcher(simple).find()) {
      return Effect.NONE;
    }
    String name = simple.toLowerCase(Locale.ROOT);
    if (name.contains("gzip") || name.contains("compress") || name.contains("deflat")) {
      return Effect.COMPRESSES;
    }
    boolean caches =
        name.contains("cachingfilter") || name.contains("contentcach") || name.contains("pagecach");
    return caches || ETAG.matcher(simple).find() || name.contains("buffer")
        ? Effect.BUFFERS
        : Effect.NONE;
  }

  private static Effect byCode(Class<?> filter, ClassLoader loader) throws IOException {
    String around = packageOf(filter.getName());
    Set<String> nearby = reachable(List.of(filter.getName()), filter, around, loader);
    List<String> wrappers = new ArrayList<>();
    boolean caching = false;
    for (String name : nearby) {
      Class<?> type = load(name, loader);
      if (type != null
          && ServletResponseWrapper.class.isAssignableFrom(type)
          && replacesStream(type)) {
        wrappers.add(name);
      }
      caching |= mentions(name, loader).contains(SPRING_CACHING);
    }
    if (wrappers.isEmpty()) {
      return caching ? Effect.BUFFERS : Effect.NONE;
    }
    Set<String> mentioned = new HashSet<>(mentions(filter.getName(), loader));
    for (String name : reachable(wrappers, filter, around, loader)) {
      mentioned.addAll(mentions(name, loader));
    }
    if (COMPRESSING.stream().anyMatch(mentioned::contains)) {
      return Effect.COMPRESSES;
    }
    return BUFFERING.stream().anyMatch(mentioned::contains)
        ? Effect.BUFFERS
        : Effect.REPLACES_STREAM;
  }

  /**
   * These classes and those of the package that they mention, as far as they are nested in the
   * filter or have to do with answers: another filter of the package is not this one's doing.
   */
  private static Set<String> reachable(
      List<String> from, Class<?> filter, String around, ClassLoader loader) throws IOException {
    Set<String> seen = new HashSet<>(from);
    ArrayDeque<String> next = new ArrayDeque<>(from);
    while (!next.isEmpty() && seen.size() < MOST_CLASSES) {
      for (String mentioned : mentions(next.remove(), loader)) {
        String name = mentioned.replace('/', '.');
        if (name.startsWith(around) && !seen.contains(name) && concerns(name, filter, loader)) {
          seen.add(name);
          next.add(name);
        }
      }
    }
    return seen;
  }

  private static boolean concerns(String name, Class<?> filter, ClassLoader loader) {
    if (name.startsWith(filter.getName() + "$")) {
      return true;
    }
    Class<?> type = load(name, loader);
    return type != null
        && (ServletResponse.class.isAssignableFrom(type)
            || OutputStream.class.isAssignableFrom(type)
            || Writer.class.isAssignableFrom(type));
  }

  private static String packageOf(String className) {
    return className.substring(0, className.lastIndexOf('.') + 1);
  }

  private static @Nullable Class<?> load(String className, @Nullable ClassLoader loader) {
    try {
      return loader == null ? null : Class.forName(className, false, loader);
    } catch (ClassNotFoundException | LinkageError | RuntimeException e) {
      return null;
    }
  }

  /** The names of all classes in the constant pool of a class (JVM specification, 4.4). */
  private static Set<String> mentions(String className, ClassLoader loader) throws IOException {
    try (InputStream file = loader.getResourceAsStream(className.replace('.', '/') + ".class")) {
      return file == null ? Set.of() : constantPool(file);
    }
  }

  private static Set<String> constantPool(InputStream file) throws IOException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(file));
    in.readInt(); // magic
    in.readInt(); // version
    int count = in.readUnsignedShort();
    @Nullable String[] texts = new @Nullable String[count];
    List<Integer> classes = new ArrayList<>();
    for (int i = 1; i < count; i++) {
      int tag = in.readUnsignedByte();
      switch (tag) {
        case 1 -> texts[i] = in.readUTF();
        case 7 -> classes.add(in.readUnsignedShort());
        case 8, 16, 19, 20 -> in.readUnsignedShort();
        case 15 -> in.skipNBytes(3);
        case 3, 4, 9, 10, 11, 12, 17, 18 -> in.readInt();
        case 5, 6 -> {
          in.readLong();
          i++; // takes two places
        }
        default -> throw new IOException("unknown constant " + tag);
      }
    }
    Set<String> names = new HashSet<>();
    for (int index : classes) {
      String name = texts[index];
      if (name != null) {
        names.add(name);
      }
    }
    return names;
  }

  /** The class that a wrapper's stream is of, told from the container's own. */
  static boolean isOfTheContainer(ServletOutputStream out, Object innermost) {
    Class<?> stream = out.getClass();
    Class<?> response = innermost.getClass();
    return stream.getClassLoader() == response.getClassLoader()
        && vendor(stream.getName()).equals(vendor(response.getName()));
  }

  /** The first two parts of a name, such as {@code org.apache}. */
  private static String vendor(String className) {
    int first = className.indexOf('.');
    int second = className.indexOf('.', first + 1);
    return second < 0 ? className : className.substring(0, second);
  }
}
