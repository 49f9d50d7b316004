package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RequestBodyTest {

  private static final BodyMemory ROOM = new BodyMemory(1 << 30, 2);

  private static RequestBody body(
      ServletInputStream in, long declaredLength, long maxBytes, RequestBody.Listener listener) {
    return new RequestBody(in, declaredLength, maxBytes, ROOM.share(null), listener);
  }

  /** A container keeps its read listener until the answer has ended, and prompts are large. */
  @Test
  void bodyThatWasHandedOverIsNotHeld() throws IOException {
    List<WeakReference<byte[]>> bodies = new ArrayList<>();
    List<Integer> lengths = new ArrayList<>();
    RequestBody body =
        body(
            new Input("{\"stream\":true}"),
            -1,
            1 << 20,
            new RequestBody.Listener() {
              @Override
              public void onBody(byte[] bytes, int length) {
                bodies.add(new WeakReference<>(bytes));
                lengths.add(length);
              }

              @Override
              public void onBodyTooLarge() {
                lengths.add(-1);
              }

              @Override
              public void onNoRoomForBody() {
                lengths.add(-3);
              }

              @Override
              public void onBodyShort() {
                lengths.add(-4);
              }

              @Override
              public void onBodyFailure(Throwable cause) {
                lengths.add(-2);
              }
            });
    body.onDataAvailable();
    body.onAllDataRead();
    assertThat(lengths).containsExactly(15);

    Awaitility.await()
        .until(
            () -> {
              System.gc();
              return bodies.get(0).get() == null;
            });
    body.onAllDataRead(); // still reachable until here, and told nobody a second time
    assertThat(lengths).hasSize(1);
  }

  @Test
  void bodyForWhichThereIsNoRoomIsReadNoFurther() throws IOException {
    BodyMemory memory = new BodyMemory(200_000, 2);
    assertThat(memory.share(null).growTo(200_000)).isTrue(); // another one's
    Told told = new Told();
    RequestBody small =
        new RequestBody(new Input("x".repeat(8_000)), -1, 1 << 20, memory.share(null), told);
    small.onDataAvailable();
    small.onAllDataRead();
    assertThat(told.all).singleElement().asString().hasSize(8_000);
    Told large = new Told();
    RequestBody body =
        new RequestBody(new Input("x".repeat(150_000)), -1, 1 << 20, memory.share(null), large);
    body.onDataAvailable();
    body.onAllDataRead();
    assertThat(large.all).containsExactly("no room");
  }

  @Test
  void aBodyThatIsWholeIsNoLongerOnItsWayWhenItIsHandedOver() throws IOException {
    BodyMemory memory = new BodyMemory(200_000, 1);
    BodyMemory.Share share = memory.share("alice");
    assertThat(share.begin()).isTrue();
    List<Integer> coming = new ArrayList<>();
    Told told =
        new Told() {
          @Override
          public void onBody(byte[] bytes, int length) {
            coming.add(memory.coming("alice"));
          }
        };
    RequestBody body = new RequestBody(new Input("x"), -1, 1 << 20, share, told);
    body.onDataAvailable();
    assertThat(memory.coming("alice")).isEqualTo(1);
    body.onAllDataRead();
    assertThat(coming).containsExactly(0);
  }

  /** Tomcat over HTTP/2 might forget it when it comes while Tomcat is asked to listen. */
  @Test
  void bodyThatIsAboutToComeIsReadWithoutAListener() throws IOException {
    Http2Input in = new Http2Input("bo", "dy");
    Told told = new Told();
    body(in, 4, 1 << 20, told).listen(true);
    assertThat(told.all).containsExactly("body");
    assertThat(in.listener).isNull();
  }

  @Test
  void bodyThatIsOnItsWayIsWaitedFor() throws IOException {
    Http2Input in = new Http2Input("body");
    in.asksBeforeItIsThere = 5;
    Told told = new Told();
    body(in, 4, 1 << 20, told).listen(true);
    assertThat(told.all).containsExactly("body");
    assertThat(in.listener).isNull();
  }

  @Test
  void bodyThatDoesNotComeHoldsNoThread() throws IOException {
    Http2Input in = new Http2Input();
    Told told = new Told();
    RequestBody body = body(in, 4, 1 << 20, told);
    body.listen(true);
    assertThat(told.all).isEmpty();
    assertThat(in.listener).isSameAs(body);
  }

  /** As a filter's wrapper may have it. */
  @Test
  void endBehindBytesThatShouldBeThereIsNoEndlessLoop() throws IOException {
    Http2Input in = new Http2Input("bo");
    in.endsEarly = true;
    Told told = new Told();
    RequestBody body = body(in, 4, 1 << 20, told);
    body.listen(true);
    assertThat(told.all).isEmpty();
    assertThat(in.listener).isSameAs(body);
  }

  @Test
  void restThatDoesNotComeIsListenedFor() throws IOException {
    Http2Input in = new Http2Input("bo");
    Told told = new Told();
    RequestBody body = body(in, 4, 1 << 20, told);
    body.listen(true);
    assertThat(told.all).isEmpty();
    assertThat(in.listener).isSameAs(body);
    in.parts.add("dy");
    body.onDataAvailable();
    body.onAllDataRead();
    assertThat(told.all).containsExactly("body");
  }

  @Test
  void bodyThatSaysNoLengthIsListenedForAndNotLost() throws IOException {
    Http2Input in = new Http2Input("body");
    Told told = new Told();
    RequestBody body = body(in, -1, 1 << 20, told);
    body.listen(true);
    assertThat(told.all).isEmpty();
    assertThat(in.listener).isSameAs(body);
    body.onDataAvailable();
    body.onAllDataRead();
    assertThat(told.all).containsExactly("body");
  }

  @Test
  void emptyBodyIsCompleteAtOnce() throws IOException {
    Told told = new Told();
    body(new Http2Input(), 0, 1 << 20, told).listen(true);
    assertThat(told.all).containsExactly("");
  }

  @Test
  void bodyThatIsTooLargeIsSaidAtOnce() throws IOException {
    Http2Input in = new Http2Input("body");
    Told told = new Told();
    body(in, 4, 3, told).listen(true);
    assertThat(told.all).containsExactly("too large");
  }

  @Test
  void bodyThatCannotBeReadIsAFailure() throws IOException {
    Http2Input in = new Http2Input("body");
    in.failure = new IOException("reset");
    Told told = new Told();
    body(in, 4, 1 << 20, told).listen(true);
    assertThat(told.all).containsExactly("java.io.IOException: reset");
    assertThat(in.listener).isNull();
  }

  @Test
  void otherContainersAreListenedTo() throws IOException {
    Http2Input in = new Http2Input("body");
    Told told = new Told();
    RequestBody body = body(in, 4, 1 << 20, told);
    body.listen(false);
    assertThat(in.parts).containsExactly("body");
    assertThat(in.listener).isSameAs(body);
  }

  private static class Told implements RequestBody.Listener {
    final List<String> all = new ArrayList<>();

    @Override
    public void onBody(byte[] bytes, int length) {
      all.add(new String(bytes, 0, length, US_ASCII));
    }

    @Override
    public void onBodyTooLarge() {
      all.add("too large");
    }

    @Override
    public void onNoRoomForBody() {
      all.add("no room");
    }

    @Override
    public void onBodyShort() {
      all.add("short");
    }

    @Override
    public void onBodyFailure(Throwable cause) {
      all.add(cause.toString());
    }
  }

  /** What is not there yet is still on its way, for as long as there are parts. */
  private static final class Http2Input extends ServletInputStream {
    final Deque<String> parts;
    @Nullable ReadListener listener;
    @Nullable IOException failure;
    int asksBeforeItIsThere;
    boolean endsEarly;

    Http2Input(String... parts) {
      this.parts = new ArrayDeque<>(List.of(parts));
    }

    @Override
    public boolean isFinished() {
      return parts.isEmpty();
    }

    @Override
    public boolean isReady() {
      return !parts.isEmpty();
    }

    @Override
    public int available() {
      if (asksBeforeItIsThere > 0) {
        asksBeforeItIsThere--;
        return 0;
      }
      return parts.isEmpty() ? 0 : 1; // Tomcat does not say how many
    }

    @Override
    public int read() {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
      if (failure != null) {
        throw failure;
      }
      if (endsEarly) {
        return -1;
      }
      byte[] part = parts.remove().getBytes(US_ASCII);
      System.arraycopy(part, 0, to, offset, part.length);
      return part.length;
    }

    @Override
    public void setReadListener(ReadListener listener) {
      this.listener = listener;
    }
  }

  private static final class Input extends ServletInputStream {
    private final InputStream bytes;
    private boolean finished;

    Input(String text) {
      bytes = new ByteArrayInputStream(text.getBytes(US_ASCII));
    }

    @Override
    public int read() throws IOException {
      int next = bytes.read();
      finished |= next < 0;
      return next;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
      int count = bytes.read(to, offset, length);
      finished |= count < 0;
      return count;
    }

    @Override
    public boolean isFinished() {
      return finished;
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setReadListener(ReadListener listener) {}
  }
}
