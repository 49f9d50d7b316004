package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.observe.Outcome;
import org.junit.jupiter.api.Test;

final class ClientQueueTest {

  private static final Outcome CUT = Outcome.of(Outcome.Kind.UPSTREAM_CUT);
  private static final byte[] ERROR = "event: error\ndata: {}\n\n".getBytes(UTF_8);

  private static ClientQueue queue(boolean cuts, String bytes, ClientQueue.Place endsAt) {
    ClientQueue queue = new ClientQueue(() -> 0, cuts);
    byte[] added = bytes.getBytes(UTF_8);
    queue.add(added, 0, added.length, endsAt);
    queue.finishWith(ERROR, CUT);
    return queue;
  }

  private static String taken(ClientQueue queue) {
    int length = queue.take();
    return new String(queue.outgoing(), 0, length, UTF_8);
  }

  @Test
  void lastEventStandsBehindAWholeOneWhateverTheContainerCanDo() {
    for (boolean cuts : new boolean[] {true, false}) {
      ClientQueue queue = queue(cuts, "data: 1\n\n", ClientQueue.Place.BOUNDARY);
      assertThat(queue.end()).isEqualTo(ClientQueue.End.FINISHING);
      assertThat(taken(queue)).isEqualTo("data: 1\n\nevent: error\ndata: {}\n\n");
    }
  }

  @Test
  void inMidEventTheConnectionIsDropped() {
    ClientQueue queue = queue(true, "data: {\"ty", ClientQueue.Place.INSIDE);
    assertThat(queue.end()).isEqualTo(ClientQueue.End.CUTTING);
    assertThat(taken(queue)).isEqualTo("data: {\"ty");
  }

  @Test
  void inMidEventTheBrokenOneIsEndedWhereNoConnectionCanBeDropped() {
    ClientQueue queue = queue(false, "data: {\"ty", ClientQueue.Place.INSIDE);
    assertThat(queue.end()).isEqualTo(ClientQueue.End.FINISHING);
    assertThat(queue.outcome()).isSameAs(CUT);
    assertThat(taken(queue)).isEqualTo("data: {\"ty\n\nevent: error\ndata: {}\n\n");
  }

  @Test
  void nothingStandsBehindTheLastEventOfTheAnswer() {
    ClientQueue queue = queue(false, "data: stop\n\n", ClientQueue.Place.END);
    assertThat(queue.end()).isEqualTo(ClientQueue.End.FINISHING);
    assertThat(taken(queue)).isEqualTo("data: stop\n\n");
  }
}
