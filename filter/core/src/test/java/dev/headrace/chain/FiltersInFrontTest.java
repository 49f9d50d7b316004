package dev.headrace.chain;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.WriteListener;
import jakarta.servlet.annotation.WebFilter;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FiltersInFrontTest {

  private final Map<String, FilterRegistration> registrations = new LinkedHashMap<>();
  private @Nullable String webXml;
  private ClassLoader loader = getClass().getClassLoader();

  private void register(String name, Class<? extends Filter> type, String... patterns) {
    register(name, type.getName(), patterns);
  }

  private void register(String name, String className, String... patterns) {
    registrations.put(
        name,
        (FilterRegistration)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {FilterRegistration.class},
                (proxy, method, arguments) ->
                    switch (method.getName()) {
                      case "getName" -> name;
                      case "getClassName" -> className;
                      case "getUrlPatternMappings" -> List.of(patterns);
                      case "getServletNameMappings" -> List.of();
                      default -> throw new UnsupportedOperationException(method.getName());
                    }));
  }

  private ServletContext context() {
    return (ServletContext)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {ServletContext.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "getFilterRegistrations" -> registrations;
                  case "getClassLoader" -> loader;
                  case "getResourceAsStream" ->
                      webXml == null ? null : new ByteArrayInputStream(webXml.getBytes(UTF_8));
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  private String report() {
    return FiltersInFront.ofServlet(context(), List.of("/claude/*"), "headrace").description();
  }

  private static String filter(String name, String rest) {
    return "<filter><filter-name>" + name + "</filter-name>" + rest + "</filter>";
  }

  private static String mapping(String name, String rest) {
    return "<filter-mapping><filter-name>"
        + name
        + "</filter-name><url-pattern>/*</url-pattern>"
        + rest
        + "</filter-mapping>";
  }

  private static String webApp(String content) {
    return "<web-app xmlns=\"https://jakarta.ee/xml/ns/jakartaee\">" + content + "</web-app>";
  }

  @ParameterizedTest
  @CsvSource({
    "/*, /claude/*, true",
    "/claude/*, /claude/*, true",
    "/claude/v1/*, /claude/*, true",
    "/claude/v1/messages, /claude/*, true",
    "/claude, /claude/*, true",
    "/claudette/*, /claude/*, false",
    "/app/*, /claude/*, false",
    "/, /claude/*, false",
    "*.jsp, /claude/*, false",
    "/app/*, /*, true",
    "/app/*, /, true",
    "/*, /, true",
    "/x, /x, true",
    "/x, /y, false",
    "/*, /x, true"
  })
  void patternsMeetWhereARequestCanFitBoth(String theirs, String ours, boolean meet) {
    assertThat(FiltersInFront.overlaps(theirs, List.of(ours))).isEqualTo(meet);
  }

  @Test
  void webXmlTellsWhoLetsRequestsBecomeAsynchronous() {
    register("old", Plain.class, "/*");
    register("new", Plain.class, "/*");
    register("code", Plain.class, "/*");
    register("elsewhere", Plain.class, "/app/*");
    register("errors", Plain.class, "/*");
    webXml =
        webApp(
            filter("new", "<async-supported> true </async-supported>")
                + filter("old", "<!-- nobody thought of it -->")
                + filter("errors", "")
                + mapping("old", "")
                + mapping("new", "<dispatcher>REQUEST</dispatcher>")
                + mapping("errors", "<dispatcher>ERROR</dispatcher>"));

    assertThat(report())
        .containsSubsequence("\n  old (", "\n  new (", "\n  code (")
        .contains("<filter><filter-name>old</filter-name><filter-class>" + Plain.class.getName())
        .doesNotContain("elsewhere", "errors", "<filter-name>new", "<filter-name>code");
    assertThat(FiltersInFront.ofServlet(context(), List.of("/claude/*"), null).asyncRemedy())
        .contains("old", "<async-supported>true</async-supported>")
        .doesNotContain("new (", "code");
  }

  @Test
  void webXmlTellsWhoSeesNoDispatches() {
    webXml =
        webApp(
            mapping("usual", "")
                + mapping("whole", "<dispatcher>REQUEST</dispatcher><dispatcher>ASYNC</dispatcher>")
                + mapping("twice", "<dispatcher>REQUEST</dispatcher>")
                + mapping("twice", "<dispatcher>ASYNC</dispatcher>")
                + mapping("errors", "<dispatcher>ERROR</dispatcher>"));
    assertThat(List.of("usual", "whole", "twice", "errors", "of code"))
        .filteredOn(name -> FiltersInFront.missesDispatches(context(), name))
        .containsExactly("usual");
  }

  @Test
  void annotationTellsItToo() {
    register(Annotated.class.getName(), Annotated.class, "/*");
    assertThat(report()).contains("@WebFilter(asyncSupported = true");
  }

  @Test
  void annotationSaysNothingOfWhatCodeHasRegistered() {
    register("annotated", Annotated.class, "/*"); // as Spring Boot does, with async
    assertThat(report()).contains("annotated (").doesNotContain("asyncSupported");
  }

  @Test
  void beforeAFilterLieThoseThatAreMappedBeforeIt() {
    register("first", Plain.class, "/*");
    register("second", Plain.class, "/*");
    register("claude", "dev.headrace.GatewayFilter", "/*");
    webXml =
        webApp(
            filter("first", "")
                + filter("second", "")
                + mapping("first", "")
                + mapping("claude", "")
                + mapping("second", ""));
    assertThat(FiltersInFront.ofFilter(context(), "/claude/*", "claude").description())
        .contains("first (")
        .doesNotContain("second", "claude (");
  }

  /** A descriptor is the application's, but what it leads to may be anybody's. */
  @Test
  void entitiesAndDocumentTypesAreNotFollowed(@TempDir Path directory) throws IOException {
    Path secret = directory.resolve("secret");
    Files.writeString(secret, "true");
    register("old", Plain.class, "/*");
    webXml =
        "<!DOCTYPE web-app [<!ENTITY e SYSTEM \""
            + secret.toUri()
            + "\">]>"
            + webApp(filter("old", "<async-supported>&e;</async-supported>"));
    assertThat(report()).contains("old (").doesNotContain("supports asynchronous requests\n");
    webXml =
        "<!DOCTYPE web-app PUBLIC \"-//Sun//DTD Web Application 2.3//EN\""
            + " \"http://127.0.0.1:9/none.dtd\">"
            + webApp(filter("old", ""));
    assertThat(report()).contains("<filter-name>old</filter-name>");
  }

  @Test
  void brokenOrMissingDescriptorsAccuseNobody() {
    register("old", Plain.class, "/*");
    webXml = "<web-app><filter";
    assertThat(report()).contains("old (").contains("nothing to object to");
    webXml = null;
    assertThat(report()).contains("nothing to object to");
    register("gone", "com.example.NoSuchFilter", "/*");
    assertThat(report()).contains("gone (com.example.NoSuchFilter): nothing to object to");
  }

  /** An application's jar that is held open can neither be deleted everywhere nor given back. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void fragmentsAreReadAndTheirJarsLetGo(@TempDir Path directory) throws IOException {
    Path jar = directory.resolve("fragment.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry("META-INF/web-fragment.xml"));
      zip.write(
          ("<web-fragment>"
                  + filter("old", "<filter-class>com.example.Old</filter-class>")
                  + "</web-fragment>")
              .getBytes(UTF_8));
    }
    try (URLClassLoader application = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
      loader = application;
      register("old", "com.example.Old", "/*");
      assertThat(report()).contains("old (com.example.Old): does not support asynchronous");
    }
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      assertThat(open.filter(each -> isOpen(each, jar))).isEmpty();
    }
  }

  private static boolean isOpen(Path descriptor, Path file) {
    try {
      return Files.readSymbolicLink(descriptor).equals(file);
    } catch (IOException e) {
      return false; // closed meanwhile
    }
  }

  @ParameterizedTest
  @CsvSource({
    "net.sf.ehcache.constructs.web.filter.GzipFilter, COMPRESSES",
    "com.github.ziplet.filter.compression.CompressingFilter, COMPRESSES",
    "net.sf.ehcache.constructs.web.filter.SimplePageCachingFilter, BUFFERS",
    "com.example.EtagFilter, BUFFERS",
    "com.example.MyETagFilter, BUFFERS",
    "com.example.ETAGFilter, BUFFERS",
    "com.example.RequestResponseCompressionFilter, COMPRESSES",
    "com.example.SiteTagFilter, NONE",
    "com.example.CreateTagFilter, NONE",
    "com.example.NoCompressionFilter, NONE",
    "com.example.DisableBufferingFilter, NONE",
    "com.example.GzipRequestFilter, NONE",
    "com.example.CacheControlFilter, NONE",
    "org.springframework.security.web.FilterChainProxy, NONE"
  })
  void namesAreAHint(String className, FilterCode.Effect effect) {
    assertThat(FilterCode.effect(className, getClass().getClassLoader())).isEqualTo(effect);
  }

  @Test
  void codeIsAHintWhereTheNameIsNone() {
    assertThat(FilterCode.effect(Plain.class.getName(), loader)).isEqualTo(FilterCode.Effect.NONE);
    assertThat(FilterCode.effect(Squeezing.class.getName(), loader))
        .isEqualTo(FilterCode.Effect.COMPRESSES);
  }

  @Test
  void wrapperBelongsToTheFilterAroundIt() {
    register("plain", Plain.class, "/*");
    register("squeezing", Squeezing.class, "/*");
    register("other", "com.example.Other", "/*");
    FiltersInFront filters = FiltersInFront.ofServlet(context(), List.of("/claude/*"), null);
    FilterInFront owner = requireNonNull(filters.ownerOf(Squeezing.Wrapper.class.getName()));
    assertThat(owner.name()).isEqualTo("squeezing");
    assertThat(filters.remedyFor(List.of("org.elsewhere.Wrapper")))
        .contains("Filters in front are")
        .contains("com.example.Other");
  }

  /** Does nothing. */
  public static class Plain implements Filter {
    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
        throws IOException, jakarta.servlet.ServletException {
      chain.doFilter(request, response);
    }
  }

  /** Says of itself that it is old. */
  @WebFilter("/*")
  public static final class Annotated extends Plain {}

  /** Compresses, and does not say so in its name. */
  public static final class Squeezing extends Plain {
    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
        throws IOException, jakarta.servlet.ServletException {
      chain.doFilter(request, new Wrapper((HttpServletResponse) response));
    }

    static final class Wrapper extends HttpServletResponseWrapper {
      Wrapper(HttpServletResponse response) {
        super(response);
      }

      @Override
      public ServletOutputStream getOutputStream() throws IOException {
        OutputStream out = new GZIPOutputStream(new ByteArrayOutputStream());
        return new ServletOutputStream() {
          @Override
          public boolean isReady() {
            return true;
          }

          @Override
          public void setWriteListener(WriteListener listener) {
            // forgotten
          }

          @Override
          public void write(int b) throws IOException {
            out.write(b);
          }
        };
      }
    }
  }
}
