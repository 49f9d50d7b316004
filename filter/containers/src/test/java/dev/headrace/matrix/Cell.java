package dev.headrace.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.servers.ServerKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * One server on one Java: two rows of the table where it speaks HTTP/2 in clear text, one
 * elsewhere.
 *
 * @param jakartaEe the environment, where the server has several
 * @param jdk feature version of the Java it runs on
 */
record Cell(ServerKind kind, @Nullable String jakartaEe, int jdk) {

  private static final int THIS_JDK = Runtime.version().feature();

  /** Ids of the cells that the profile runs; empty in every other build. */
  private static final String WANTED = System.getProperty("headrace.matrix", "");

  /** All of the matrix, in the order of the table. */
  static List<Cell> all() {
    List<Cell> cells = new ArrayList<>();
    for (ServerKind kind : ServerKind.values()) {
      for (String environment : environments(kind)) {
        for (int jdk : new int[] {17, 25}) {
          if (isWanted(kind, environment, jdk)) {
            cells.add(new Cell(kind, environment.isEmpty() ? null : environment, jdk));
          }
        }
      }
    }
    return cells;
  }

  /** Whether this is a build with {@code -Pmatrix}. */
  static boolean inProfile() {
    return !WANTED.isBlank();
  }

  private static List<String> environments(ServerKind kind) {
    return switch (kind) {
      case JETTY_12_1 -> List.of("ee11", "ee10", "ee9");
      case JETTY_12_0 -> List.of("ee10", "ee9");
      default -> List.of("");
    };
  }

  /**
   * On JDK 25 only one environment of a Jetty each, and no GlassFish: 7.0.21, the newest of which
   * there is a distribution, does not start there, because its OSGi framework knows no such Java
   * ("Unable to resolve ... osgi.ee; (&(osgi.ee=JavaSE)(version=11))").
   */
  private static boolean isWanted(ServerKind kind, String environment, int jdk) {
    return jdk == 17
        || (kind != ServerKind.GLASSFISH && environment.equals(environments(kind).get(0)));
  }

  /**
   * Those of one server that this build runs: with {@code -Pmatrix} all of them, or those whose id
   * matches {@code -Dheadrace.matrix}; else the first environment of the four that each build has,
   * on the Java of the build.
   */
  static Stream<Cell> of(ServerKind kind) {
    if (inProfile()) {
      return all().stream()
          .filter(cell -> cell.kind == kind && (WANTED.equals("all") || cell.id().matches(WANTED)));
    }
    return switch (kind) {
      case JETTY_12_1, TOMCAT_11, TOMCAT_10_1, UNDERTOW -> {
        String environment = environments(kind).get(0);
        yield Stream.of(new Cell(kind, environment.isEmpty() ? null : environment, THIS_JDK));
      }
      default -> Stream.empty();
    };
  }

  /** For file names and reports, such as {@code jetty-12.1-ee11-jdk17}. */
  String id() {
    return kind.id() + (jakartaEe == null ? "" : "-" + jakartaEe) + "-jdk" + jdk;
  }

  /** As the table has it, such as {@code 12.1.12 (ee11)}. */
  String version() {
    return kind.version() + (jakartaEe == null ? "" : " (" + jakartaEe + ")");
  }

  List<Protocol> protocols() {
    return kind.offersH2c() ? List.of(Protocol.HTTP_1_1, Protocol.H2C) : List.of(Protocol.HTTP_1_1);
  }

  /** Where its Java is; ends the tests as not applicable where there is none of that version. */
  Path javaHome() throws IOException {
    if (jdk == THIS_JDK) {
      return Path.of(System.getProperty("java.home"));
    }
    String named = System.getProperty("headrace.jdk" + jdk, "");
    boolean required = named.equals("required");
    if (!named.isBlank() && !required) {
      return Path.of(named);
    }
    try (Stream<Path> homes = Files.list(Path.of("/usr/lib/jvm"))) {
      List<Path> found =
          homes
              .filter(home -> home.getFileName().toString().matches(".*-" + jdk + "(-.*)?"))
              .filter(home -> Files.isExecutable(home.resolve("bin/java")))
              .sorted()
              .toList();
      String missing = "no JDK " + jdk + ": name one with -Dheadrace.jdk" + jdk;
      if (required) {
        assertThat(found).as(missing).isNotEmpty();
      }
      Assumptions.assumeFalse(found.isEmpty(), missing);
      return found.get(0);
    }
  }

  @Override
  public String toString() {
    return kind.title() + " " + version() + " on JDK " + jdk;
  }
}
