package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.Servlet;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * The sample legacy application of {@code src/test/legacy-app}: a {@code web.xml} of Servlet 5.0
 * with {@code metadata-complete}, form login, JSP pages and filters that know nothing of
 * asynchronous requests. The gateway comes in by jar and YAML only. Each method changes what a user
 * would change in {@code web.xml}.
 */
final class LegacyApplication {

  private static final Path SOURCE = Path.of("src/test/legacy-app");

  private final Path directory;
  private String webXml;

  private LegacyApplication(Path directory) throws IOException {
    this.directory = directory;
    copy(SOURCE.resolve("webapp"), directory);
    this.webXml = Files.readString(directory.resolve("WEB-INF/web.xml"));
    Path context = directory.resolve("META-INF/context.xml");
    Files.writeString(
        context,
        Files.readString(context)
            .replace(
                "@users@", directory.resolve("WEB-INF/users.xml").toAbsolutePath().toString()));
    compile(SOURCE.resolve("java"), directory.resolve("WEB-INF/classes"));
  }

  /** Puts it into a directory. */
  static LegacyApplication in(Path directory) throws IOException {
    return new LegacyApplication(directory);
  }

  /** For containers without JSP, and so without a page to log in at. */
  LegacyApplication withoutLogin() {
    webXml = webXml.replaceAll("(?s)<!-- login:begin -->.*<!-- login:end -->", "");
    return this;
  }

  /** Maps a filter to another pattern. */
  LegacyApplication map(String filter, String pattern) {
    return replace(
        "(<filter-mapping>\\s*<filter-name>"
            + filter
            + "</filter-name>\\s*<url-pattern>)[^<]*(</url-pattern>)",
        "$1" + pattern + "$2");
  }

  /** Says that filters support asynchronous requests. */
  LegacyApplication asyncSupported(String... filters) {
    for (String filter : filters) {
      replace(
          "(<filter>\\s*<filter-name>"
              + filter
              + "</filter-name>\\s*<filter-class>[^<]*</filter-class>)",
          "$1<async-supported>true</async-supported>");
    }
    return this;
  }

  /** Declares the gateway as a filter, mapped right before another one or behind all. */
  LegacyApplication gatewayFilter(String before) {
    String mapping =
        "<filter-mapping><filter-name>claude</filter-name><url-pattern>/*</url-pattern>"
            + "<dispatcher>REQUEST</dispatcher><dispatcher>ASYNC</dispatcher></filter-mapping>";
    replace(
        "(?=<filter-mapping>)",
        "<filter><filter-name>claude</filter-name>"
            + "<filter-class>dev.headrace.GatewayFilter</filter-class>"
            + "<async-supported>true</async-supported></filter>");
    return before.isEmpty()
        ? replace("(?=<session-config>)", mapping)
        : replace("(?=<filter-mapping>\\s*<filter-name>" + before + "</filter-name>)", mapping);
  }

  /** Adds a filter with a stream of its own, in front of all paths. */
  LegacyApplication oddFilter(String way) {
    replace(
        "(?=<filter-mapping>)",
        "<filter><filter-name>odd</filter-name>"
            + "<filter-class>com.example.orders.OddFilter</filter-class>"
            + "<async-supported>true</async-supported>"
            + "<init-param><param-name>way</param-name><param-value>"
            + way
            + "</param-value></init-param></filter>");
    return replace(
        "(?=<session-config>)",
        "<filter-mapping><filter-name>odd</filter-name><url-pattern>/*</url-pattern>"
            + "</filter-mapping>");
  }

  private LegacyApplication replace(String pattern, String by) {
    String changed = webXml.replaceFirst(pattern, by);
    if (changed.equals(webXml)) {
      throw new IllegalArgumentException("not in web.xml: " + pattern);
    }
    webXml = changed;
    return this;
  }

  /**
   * Writes it with the settings of the gateway.
   *
   * @return the directory, to be deployed
   */
  Path with(String yaml) throws IOException {
    Files.writeString(directory.resolve("WEB-INF/web.xml"), webXml);
    Files.writeString(directory.resolve("WEB-INF/headrace.yaml"), yaml);
    return directory;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }

  private static void compile(Path sources, Path classes) throws IOException {
    Files.createDirectories(classes);
    List<Path> files = new ArrayList<>();
    try (Stream<Path> all = Files.walk(sources)) {
      all.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, UTF_8)) {
      boolean compiled =
          compiler
              .getTask(
                  messages,
                  manager,
                  null,
                  List.of(
                      "--release",
                      "17",
                      "-proc:none",
                      "-cp",
                      RuntimeJars.of(Servlet.class).toString(),
                      "-d",
                      classes.toString()),
                  null,
                  manager.getJavaFileObjectsFromPaths(files))
              .call();
      if (!compiled) {
        throw new IllegalStateException(messages.toString());
      }
    }
  }
}
