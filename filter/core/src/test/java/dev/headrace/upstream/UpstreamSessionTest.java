package dev.headrace.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.hc.core5.reactor.EventMask;
import org.apache.hc.core5.reactor.IOSession;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** When the selector is woken; what is read is TurnTest's matter. */
class UpstreamSessionTest {

  private final ReentrantLock lock = new ReentrantLock();
  private final List<Integer> set = new ArrayList<>(); // each wakes the selector
  private int mask = EventMask.READ;
  private boolean open = true;

  private final UpstreamSession session =
      new UpstreamSession(
          (IOSession)
              Proxy.newProxyInstance(
                  getClass().getClassLoader(),
                  new Class<?>[] {IOSession.class},
                  (proxy, method, arguments) -> answer(method, arguments)));

  private @Nullable Object answer(Method method, Object[] arguments) {
    return switch (method.getName()) {
      case "getLock" -> lock;
      case "isOpen" -> open;
      case "getEventMask" -> {
        assertThat(open).as("a closed session has no mask").isTrue();
        assertThat(lock.isHeldByCurrentThread()).as("nobody can take an event back now").isTrue();
        yield mask;
      }
      case "setEvent" -> {
        set.add((Integer) arguments[0]);
        mask |= (Integer) arguments[0];
        yield null;
      }
      case "clearEvent" -> {
        mask &= ~(Integer) arguments[0];
        yield null;
      }
      default -> throw new AssertionError(method.getName());
    };
  }

  @Test
  void eventThatIsWaitedForWakesNobody() {
    session.setEvent(EventMask.READ);
    assertThat(set).isEmpty();
    session.setEvent(EventMask.WRITE);
    session.setEvent(EventMask.WRITE);
    session.setEvent(EventMask.READ_WRITE);
    assertThat(set).containsExactly(EventMask.WRITE);
  }

  @Test
  void eventThatWasTakenBackIsSetAgain() {
    session.clearEvent(EventMask.READ);
    session.setEvent(EventMask.READ);
    session.setEvent(EventMask.READ);
    assertThat(set).containsExactly(EventMask.READ);
    session.setEvent(EventMask.READ_WRITE);
    assertThat(set).containsExactly(EventMask.READ, EventMask.READ_WRITE);
  }

  @Test
  void closedSessionIsLeftToHttpCore() {
    open = false;
    session.setEvent(EventMask.READ);
    assertThat(set).containsExactly(EventMask.READ);
    assertThat(lock.isLocked()).isFalse();
  }
}
