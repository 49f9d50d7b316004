package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class RequestBodyTest {

  /** A container keeps its read listener until the answer has ended, and prompts are large. */
  @Test
  void bodyThatWasHandedOverIsNotHeld() throws IOException {
    List<WeakReference<byte[]>> bodies = new ArrayList<>();
    List<Integer> lengths = new ArrayList<>();
    RequestBody body =
        new RequestBody(
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
