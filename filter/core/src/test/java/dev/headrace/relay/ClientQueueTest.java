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
    return taken(queue, Integer.MAX_VALUE);
  }

  private static String taken(ClientQueue queue, int most) {
    int length = queue.take(most);
    return new String(queue.outgoing(), queue.outgoingOffset(), length, UTF_8);
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

  @Test
  void givesNoMoreThanIsAskedForAndKeepsTheOrder() {
    ClientQueue queue = new ClientQueue(() -> 0, true);
    assertThat(add(queue, "abcdefg")).isEqualTo(7);
    assertThat(taken(queue, 3)).isEqualTo("abc");
    assertThat(add(queue, "hi")).as("those in flight included").isEqualTo(9);
    queue.taken();
    assertThat(taken(queue, 3)).isEqualTo("def");
    queue.taken();
    assertThat(queue.hasData()).isTrue();
    assertThat(taken(queue, 3)).as("a piece ends with what was added together").isEqualTo("g");
    queue.taken();
    assertThat(taken(queue, 3)).isEqualTo("hi");
    assertThat(queue.hasData()).isFalse();
    assertThat(queue.inFlight()).isEqualTo(2);
  }

  @Test
  void dropsWhatWasNotTakenToo() {
    ClientQueue queue = new ClientQueue(() -> 0, true);
    assertThat(add(queue, "abcdefg")).isEqualTo(7);
    assertThat(taken(queue, 3)).isEqualTo("abc");
    queue.gone();
    assertThat(queue.hasData()).isFalse();
    queue.taken();
    assertThat(queue.stuckNanos(1)).isZero();
  }

  private static int add(ClientQueue queue, String bytes) {
    byte[] added = bytes.getBytes(UTF_8);
    return queue.add(added, 0, added.length, ClientQueue.Place.BOUNDARY);
  }
}
