package dev.headrace.applications;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is in the one jar, and what must not be. */
class OneJarTest {

  /** About 5.7 MB today; the libraries grow with their versions. */
  private static final long MOST_BYTES = 6_500_000;

  /** Names of libraries, as packages, folders and descriptors write them. */
  private static final Pattern LIBRARY =
      Pattern.compile(
          "(?:org[./]apache[./]hc|org[./]publicsuffix|tools[./]jackson|com[./]fasterxml"
              + "|com[./]github[./]benmanes|io[./]github[./]resilience4j"
              + "|org[./]snakeyaml|org[./]jspecify|org[./]slf4j)(?=[./;]|$)");

  /**
   * What {@code jdeps} may find no class for: the container and the application bring it, or no
   * one.
   */
  private static final Pattern BROUGHT_BY_OTHERS =
      Pattern.compile("jakarta\\.servlet\\..*|io\\.micrometer\\.core\\..*");

  /** Annotations, which Java does not look for where nobody reads them. */
  private static final Pattern ANNOTATION =
      Pattern.compile("com\\.google\\.errorprone\\.annotations\\..*|javax\\.annotation\\..*");

  /** HttpClient can use these, but only where it is told to, which the gateway never does. */
  private static final Pattern NEVER_ASKED_FOR =
      Pattern.compile(
          "org\\.conscrypt\\..*|org\\.apache\\.commons\\.compress\\..*"
              + "|com\\.aayushatharva\\.brotli4j\\..*|com\\.github\\.luben\\.zstd\\..*");

  private static final Map<String, byte[]> ENTRIES = new LinkedHashMap<>();

  @BeforeAll
  static void read() throws IOException {
    try (JarFile jar = new JarFile(OneJar.path().toFile())) {
      List<String> twice = new ArrayList<>();
      for (JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
        if (!entry.isDirectory()
            && ENTRIES.put(entry.getName(), jar.getInputStream(entry).readAllBytes()) != null) {
          twice.add(entry.getName());
        }
      }
      assertThat(twice).as("entries that are there twice").isEmpty();
    }
  }

  @Test
  void everythingLiesUnderItsOwnPackageButWhatContainersLookFor() {
    assertThat(ENTRIES.keySet())
        .allMatch(
            name ->
                name.startsWith("dev/headrace/")
                    || name.matches("META-INF/versions/\\d+/dev/headrace/.*\\.class")
                    || name.startsWith("META-INF/services/")
                    || name.startsWith("META-INF/resources/headrace/")
                    || name.matches("META-INF/[A-Za-z.-]+"));
    assertThat(ENTRIES.keySet())
        .contains(
            "META-INF/services/jakarta.servlet.ServletContainerInitializer",
            "META-INF/resources/headrace/headrace.js",
            "META-INF/resources/headrace/headrace.d.ts",
            "META-INF/LICENSE",
            "META-INF/NOTICE",
            "META-INF/NOTICE-libraries",
            "dev/headrace/GatewayServlet.class",
            "dev/headrace/usage/prices.yaml",
            "dev/headrace/usage/schema/postgresql/1.sql",
            "dev/headrace/shaded/org/apache/hc/client5/version.properties",
            "dev/headrace/shaded/org/publicsuffix/list/effective_tld_names.dat")
        .noneMatch(name -> name.endsWith("module-info.class") || name.matches(".*\\.(SF|RSA|DSA)"))
        .noneMatch(name -> name.contains("slf4j"));
  }

  @Test
  void noNameOfALibraryIsLeftWithoutItsNewPlace() {
    List<String> left = new ArrayList<>();
    ENTRIES.forEach(
        (name, bytes) -> {
          if (name.endsWith(".class") || name.startsWith("META-INF/services/")) {
            String content = new String(bytes, ISO_8859_1);
            Matcher found = LIBRARY.matcher(content);
            while (found.find()) {
              String before = content.substring(Math.max(0, found.start() - 20), found.start());
              if (!before.matches("(?s).*dev[./]headrace[./]shaded[./]")) {
                left.add(name + ": " + found.group());
              }
            }
          }
        });
    assertThat(left).isEmpty();
  }

  @Test
  void classesLieWhereTheirNamesSay() {
    ENTRIES.forEach(
        (file, bytes) -> {
          if (file.endsWith(".class")) {
            String name = file.replaceFirst("^META-INF/versions/\\d+/", "");
            assertThat(new String(bytes, ISO_8859_1))
                .as(file)
                .contains(name.substring(0, name.length() - ".class".length()));
          }
        });
  }

  @Test
  void servicesNameClassesOfTheJar() {
    ENTRIES.forEach(
        (file, bytes) -> {
          if (file.startsWith("META-INF/services/")) {
            assertThat(new String(bytes, UTF_8).strip().lines())
                .as(file)
                .isNotEmpty()
                .allMatch(name -> ENTRIES.containsKey(name.replace('.', '/') + ".class"));
          }
        });
  }

  /** Also that the bridge to SLF4J has every class that the libraries ask of it. */
  @Test
  void noClassIsMissingButThoseThatOthersBring() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ToolProvider jdeps = ToolProvider.findFirst("jdeps").orElseThrow();
    jdeps.run(
        new PrintStream(out, true, UTF_8),
        System.err,
        "--multi-release",
        "base",
        "-verbose:class",
        "-filter:none",
        OneJar.path().toString());
    Set<String> missing =
        out.toString(UTF_8)
            .lines()
            .filter(line -> line.contains("->") && line.endsWith("not found"))
            .map(line -> line.replaceFirst(".*-> (\\S+)\\s.*", "$1"))
            .filter(name -> name.contains("."))
            .collect(Collectors.toSet());
    assertThat(missing)
        .contains("jakarta.servlet.Filter") // the search works
        .allMatch(
            name ->
                BROUGHT_BY_OTHERS.matcher(name).matches()
                    || ANNOTATION.matcher(name).matches()
                    || NEVER_ASKED_FOR.matcher(name).matches());
  }

  @Test
  void bridgeHasEveryMethodOfSlf4jThatIsCalled() throws Exception {
    List<String> missing = new ArrayList<>();
    try (URLClassLoader jar =
        new URLClassLoader(
            new URL[] {OneJar.path().toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
      for (Map.Entry<String, byte[]> entry : ENTRIES.entrySet()) {
        if (entry.getKey().startsWith("dev/headrace/") && entry.getKey().endsWith(".class")) {
          for (ClassFile.Call call : ClassFile.calls(entry.getValue())) {
            if (call.owner().startsWith("dev/headrace/logging/") && !call.isThereIn(jar)) {
              missing.add(entry.getKey() + ": " + call);
            }
          }
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  @Test
  void noticesOfAllLibrariesTravelAlong() {
    assertThat(text("META-INF/LICENSE")).contains("Apache License");
    assertThat(text("META-INF/NOTICE"))
        .contains(
            "Apache HttpClient", "Apache HttpComponents Core HTTP/2", "Jackson JSON processor");
    assertThat(text("META-INF/NOTICE-libraries"))
        .contains("Resilience4j", "Caffeine", "SnakeYAML Engine", "JSpecify");
    assertThat(ENTRIES.keySet())
        .contains("META-INF/FastDoubleParser-LICENSE", "META-INF/Schubfach-LICENSE");
  }

  @Test
  void staysSmallEnoughToTravelInAWar() throws IOException {
    long bytes = Files.size(OneJar.path());
    System.out.printf("the one jar: %,d bytes, %,d entries%n", bytes, ENTRIES.size());
    assertThat(bytes).isLessThan(MOST_BYTES);
  }

  private static String text(String entry) {
    byte[] bytes = ENTRIES.get(entry);
    assertThat(bytes).as(entry).isNotNull();
    return new String(bytes, UTF_8);
  }
}
