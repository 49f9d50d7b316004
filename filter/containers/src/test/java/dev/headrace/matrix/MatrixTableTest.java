package dev.headrace.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** The README's table of containers, in every build, whichever cells that one runs. */
final class MatrixTableTest {

  @Test
  @DisabledIfSystemProperty(
      named = "write-matrix",
      matches = "true",
      disabledReason = "the table is being written, cell by cell")
  void readmeHasExactlyARowForEveryCellAsAsynchronousAndWithTheNotesThatBelongToIt()
      throws Exception {
    List<Row> inReadme = MatrixTable.inReadme();
    assertThat(inReadme.stream().map(Row::lasting).toList())
        .as("rows of the README; mvn -Pmatrix -Dwrite-matrix=true measures and writes them")
        .isEqualTo(MatrixTable.expected().stream().map(Row::lasting).toList());
    assertThat(inReadme)
        .allSatisfy(
            row ->
                assertThat(row.noticed())
                    .as(row.key())
                    .matches("\\d+ ms in silence .*, \\d+ ms while events flow .*"));
  }
}
