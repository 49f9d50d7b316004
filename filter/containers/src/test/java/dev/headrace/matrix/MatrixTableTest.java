package dev.headrace.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The README's table of containers is that of the code; {@code -Dwrite-matrix=true} writes it. */
final class MatrixTableTest {

  @Test
  void readmeHasRowsOfCellsAndNoOtherAndInTheProfileAllOfThem() throws Exception {
    if (Boolean.getBoolean("write-matrix")) {
      MatrixTable.write();
    }
    List<String> inReadme = List.copyOf(MatrixTable.inReadme().keySet());
    List<String> expected = MatrixTable.expectedKeys();
    assertThat(expected)
        .as("rows of the README; mvn -Pmatrix measures, -Dwrite-matrix=true writes them")
        .containsSubsequence(inReadme);
    if (System.getProperty("headrace.matrix", "").equals("all")) {
      assertThat(inReadme).isEqualTo(expected);
    }
  }
}
