package dev.headrace.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.WriteListener;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.other.HttpOutput;
import org.junit.jupiter.api.Test;

class ContainersTest {

  private static final byte[] BYTES = "abcdef".getBytes(StandardCharsets.US_ASCII);

  /** A stream as Servlet 5 has it, in a container that is not Jetty. */
  public static class PlainOutput extends ServletOutputStream {

    final ByteArrayOutputStream written = new ByteArrayOutputStream();

    @Override
    public void write(int b) {
      written.write(b);
    }

    public void write(ByteBuffer buffer) {
      throw new AssertionError("not asked for");
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setWriteListener(WriteListener listener) {
      // nobody is told anything
    }
  }

  private final Containers containers = new Containers();

  private static IOException made(String in, IOException failure) {
    failure.setStackTrace(
        new StackTraceElement[] {
          new StackTraceElement("sun.nio.ch.SocketChannelImpl", "write", null, 1),
          new StackTraceElement(in, "write", null, 1),
          new StackTraceElement("com.example.AuditFilter", "doFilter", null, 1)
        });
    return failure;
  }

  @Test
  void whoeverMakesAnIoExceptionHasFailed() {
    IOException left = made("org.eclipse.jetty.io.SocketChannelEndPoint", new EOFException());
    IOException wrapped = made("com.example.AuditFilter", new IOException("audit", left));
    IOException own = made("com.example.AuditFilter", new IOException("disk full"));
    assertThat(Containers.isOfTheApplication(left)).isFalse();
    assertThat(Containers.isOfTheApplication(wrapped)).isFalse();
    assertThat(Containers.isOfTheApplication(own)).isTrue();
    assertThat(Containers.isOfTheApplication(new IOException("x", own))).isTrue();
  }

  @Test
  void streamIsWrittenInServletsWay() throws IOException {
    PlainOutput out = new PlainOutput();
    Containers.write(containers.bufferWrite(out), out, BYTES, 1, 3);
    assertThat(out.written).hasToString("bcd");
  }

  @Test
  void jettysStreamIsAskedToKeepNoBuffer() throws IOException {
    HttpOutput out = new HttpOutput();
    Containers.write(containers.bufferWrite(out), out, BYTES, 1, 3);
    assertThat(out.written).containsExactly("bcd");
  }

  @Test
  void wayIsKeptForStreamsOfOneClass() {
    assertThat(containers.bufferWrite(new HttpOutput()))
        .isNotNull()
        .isSameAs(containers.bufferWrite(new HttpOutput()));
  }

  @Test
  void jettysStreamWithoutSuchAWriteIsWrittenInServletsWay() {
    assertThat(containers.bufferWrite(new org.eclipse.jetty.without.HttpOutput())).isNull();
  }

  @Test
  void whatAWriteThrowsComesAsItIs() {
    HttpOutput out = new HttpOutput();
    MethodHandle write = containers.bufferWrite(out);
    for (Throwable failure :
        new Throwable[] {
          new EOFException("gone"), new IllegalStateException("no"), new LinkageError("missing")
        }) {
      out.failure = failure;
      assertThatThrownBy(() -> Containers.write(write, out, BYTES, 0, 4)).isSameAs(failure);
    }
  }

  @Test
  void pieceFitsIntoTheContainersBufferWithTheMarksOfItsChunk() {
    int piece = Containers.pieceBytes(responseWithBuffer(8192));
    String marks = Integer.toHexString(piece) + "\r\n" + "\r\n";
    assertThat(piece + marks.length()).isBetween(8000, 8192);
  }

  @Test
  void responseWithoutABufferIsWrittenInOnePiece() {
    assertThat(Containers.pieceBytes(responseWithBuffer(0))).isEqualTo(Integer.MAX_VALUE);
  }

  private static ServletResponse responseWithBuffer(int bytes) {
    return (ServletResponse)
        Proxy.newProxyInstance(
            ContainersTest.class.getClassLoader(),
            new Class<?>[] {ServletResponse.class},
            (proxy, method, arguments) -> {
              assertThat(method.getName()).isEqualTo("getBufferSize");
              return bytes;
            });
  }
}
