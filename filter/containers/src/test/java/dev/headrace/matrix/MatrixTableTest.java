package dev.headrace.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The README's table of containers is that of the code; {@code -Dwrite-matrix=true} writes it. */
final class MatrixTableTest {

  @Test
  void readmeHasARowForEachCellAndNoOther() throws Exception {
    if (Boolean.getBoolean("write-matrix")) {
      MatrixTable.write();
    }
    assertThat(MatrixTable.inReadme().keySet())
        .as("rows of the README; mvn -Pmatrix measures, -Dwrite-matrix=true writes them")
        .containsExactlyElementsOf(MatrixTable.expectedKeys());
  }
}
