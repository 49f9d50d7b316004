package dev.headrace.matrix;

import dev.headrace.servers.ServerKind;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass(allowZeroInvocations = true)
@MethodSource("cells")
final class GlassFishTest extends ServerContract {

  GlassFishTest(Cell cell) {
    super(cell);
  }

  static Stream<Cell> cells() {
    return Cell.of(ServerKind.GLASSFISH);
  }
}
