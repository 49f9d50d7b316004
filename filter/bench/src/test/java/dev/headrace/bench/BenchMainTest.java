package dev.headrace.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchMainTest {

  @Test
  void theReasonOfAFailureIsOneLine() {
    assertThat(BenchMain.reason(new IOException("the load never began")))
        .isEqualTo("the load never began");
    String log =
        """
        not listening on port 80:
        Invalid maximum heap size: -Xmx2q
        Error: Could not create the Java Virtual Machine.

        """;
    assertThat(BenchMain.reason(new IOException(log)))
        .isEqualTo(
            "not listening on port 80: Invalid maximum heap size: -Xmx2q;"
                + " Error: Could not create the Java Virtual Machine.");
  }

  @Test
  void ofALongLogTheLastLinesAreTheReason() {
    String log =
        """
        1
        2
        3
        4
        Exception: no
        \tat a.B.c(B.java:1)
        \tat a.D.e()
        """;
    assertThat(BenchMain.reason(new IOException(log))).isEqualTo("2; 3; 4; Exception: no");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 8, 10, 15})
  void everyServerComesToOtherPlacesBehindOthers(int servers) {
    List<Integer> all = IntStream.range(0, servers).boxed().toList();
    for (int server : all) {
      Set<Integer> places = new HashSet<>();
      Set<Integer> before = new HashSet<>();
      for (int round = 1; round <= 5; round++) {
        List<Integer> order = BenchMain.order(all, round);
        assertThat(order).containsExactlyInAnyOrderElementsOf(all);
        int place = order.indexOf(server);
        places.add(place);
        before.add(place == 0 ? -1 : order.get(place - 1));
      }
      assertThat(places).hasSizeGreaterThanOrEqualTo(2);
      assertThat(before).hasSizeGreaterThanOrEqualTo(2);
    }
  }

  @Test
  void ordersGoThereAndBackFromOneFurther() {
    List<String> all = List.of("a", "b", "c", "d");
    assertThat(IntStream.rangeClosed(1, 5).mapToObj(round -> BenchMain.order(all, round)))
        .containsExactly(
            List.of("a", "b", "c", "d"),
            List.of("d", "c", "b", "a"),
            List.of("b", "c", "d", "a"),
            List.of("a", "d", "c", "b"),
            List.of("c", "d", "a", "b"));
  }

  @Test
  void ofOtherExceptionsTheKindIsSaidToo() {
    assertThat(BenchMain.reason(new NoSuchFileException("/proc/1/stat")))
        .isEqualTo("java.nio.file.NoSuchFileException: /proc/1/stat");
    assertThat(BenchMain.reason(new IOException())).isEqualTo("java.io.IOException");
  }
}
