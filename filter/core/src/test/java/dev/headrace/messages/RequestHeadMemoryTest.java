package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/** What reading a 30 MB body allocates, by the JVM's own count for the thread. */
class RequestHeadMemoryTest {
  private static final int SIZE = 30_000_000;
  private static final long MB = 1_000_000;

  private interface Reading {
    void run() throws InvalidBodyException;
  }

  private static long allocatedBy(Reading reading) throws InvalidBodyException {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    reading.run();
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  private static byte[] filled(String head, char filling, String tail) {
    byte[] body = new byte[SIZE];
    Arrays.fill(body, (byte) filling);
    System.arraycopy(head.getBytes(US_ASCII), 0, body, 0, head.length());
    System.arraycopy(tail.getBytes(US_ASCII), 0, body, SIZE - tail.length(), tail.length());
    return body;
  }

  private static byte[] repeated(int count, IntFunction<String> field) {
    StringBuilder body = new StringBuilder("{");
    for (int i = 0; i < count; i++) {
      body.append(field.apply(i)).append(',');
    }
    return body.append("\"last\":1}").toString().getBytes(UTF_8);
  }

  @Test
  void anImageOf30MegabytesCostsLittleHeap() throws InvalidBodyException {
    byte[] body =
        filled(
            "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\","
                + "\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"",
            'A',
            "\"}}]}],\"model\":\"claude-opus-5-5\",\"max_tokens\":1024}");
    assertThat(RequestHead.read(body, SIZE).model()).isEqualTo("claude-opus-5-5");
    assertThat(allocatedBy(() -> RequestHead.read(body, SIZE))).isLessThan(MB);
  }

  @Test
  void whitespaceCostsLittleHeap() throws InvalidBodyException {
    byte[] body = filled("{", ' ', "}");
    assertThat(allocatedBy(() -> RequestHead.read(body, SIZE))).isLessThan(MB);
  }

  @Test
  void aModelNameOf30MegabytesCostsLittleHeap() throws InvalidBodyException {
    byte[] body = filled("{\"model\":\"", 'x', "\"}");
    assertThat(allocatedByRefusing(body)).isLessThan(MB);
  }

  @Test
  void aFieldNameOf30MegabytesCostsLittleHeap() throws InvalidBodyException {
    assertThat(allocatedByRefusing(filled("{\"", 'x', "\":1}"))).isLessThan(MB);
  }

  @Test
  void openBracketsCostLittleHeap() throws InvalidBodyException {
    assertThat(allocatedByRefusing(filled("{\"a\":", '[', "}"))).isLessThan(MB);
  }

  @Test
  void aNumberOf30MegabytesCostsNoMoreThanItsCharacters() throws InvalidBodyException {
    // Jackson checks the length of a number only when it has read it.
    assertThat(allocatedByRefusing(filled("{\"a\":", '9', "}"))).isLessThan(70 * MB);
  }

  @Test
  void manyTinyFieldsCostABoundedHeap() throws InvalidBodyException {
    byte[] body = repeated(2_500_000, i -> "\"" + Integer.toString(i, 36) + "\":1");
    assertThat(allocatedByRefusing(body)).isLessThan(3 * MB);
  }

  @Test
  void manyTinyFieldsWithinEachOtherCostABoundedHeap() throws InvalidBodyException {
    StringBuilder text = new StringBuilder("{\"messages\":");
    for (int depth = 0; depth < 90; depth++) {
      text.append("[{");
      for (int i = 0; i < 5_000; i++) {
        text.append('"').append(Integer.toString(i, 36)).append("\":1,");
      }
      text.append("\"next\":");
    }
    byte[] body = text.toString().getBytes(US_ASCII);
    assertThat(allocatedByRefusing(body)).isLessThan(3 * MB);
    assertThatThrownBy(() -> RequestOutline.read(body, body.length))
        .hasMessageContaining("10000 of them in objects within each other");
  }

  @Test
  void manyObjectsOfAFewFieldsAreRead() throws InvalidBodyException {
    byte[] object = "{\"a\":[{\"b\":1}],\"c\":{}},".getBytes(US_ASCII);
    StringBuilder text = new StringBuilder("{\"model\":\"m\",\"messages\":[");
    text.append(new String(object, US_ASCII).repeat(50_000)).append("{}]}");
    byte[] body = text.toString().getBytes(US_ASCII);
    assertThat(RequestHead.read(body, body.length).model()).isEqualTo("m");
    assertThat(RequestOutline.read(body, body.length).fields()).hasSize(2);
  }

  @Test
  void manyLongNamesCostNoMoreThanTheirCharacters() throws InvalidBodyException {
    // With Jackson's byte parser and its name table this was 29 GB.
    byte[] body = repeated(9_990, i -> "\"" + "n".repeat(990) + (100_000 + i) + "\":1");
    assertThat(allocatedBy(() -> RequestHead.read(body, body.length))).isLessThan(23 * MB);
  }

  @Test
  void theOutlineOfAnImageOf30MegabytesCostsLittleHeapAndTime() throws InvalidBodyException {
    byte[] body =
        filled(
            "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\","
                + "\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"",
            'A',
            "\"}}]}]}");
    for (int i = 0; i < 3; i++) {
      RequestOutline.readConversation(body, SIZE);
    }
    assertThat(allocatedBy(() -> RequestOutline.read(body, SIZE))).isLessThan(MB);
    assertThat(allocatedBy(() -> RequestOutline.readConversation(body, SIZE))).isLessThan(MB);
    long start = System.nanoTime();
    RequestOutline.readConversation(body, SIZE);
    // Some 0.1 s on a quiet machine; a quadratic pass would take hours.
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void theOutlineOfATopLevelStringOf30MegabytesCostsLittleHeap() throws InvalidBodyException {
    byte[] body = filled("{\"system\":\"", 'x', "\"}");
    assertThat(RequestOutline.read(body, SIZE).fields()).hasSize(1);
    assertThat(allocatedBy(() -> RequestOutline.read(body, SIZE))).isLessThan(MB);
  }

  @Test
  void theOutlineOf30MegabytesOfEscapesCostsLittleHeap() throws InvalidBodyException {
    byte[] body = filled("{\"messages\":[{\"role\":\"user\",\"content\":\"", 'x', "\"}]}");
    byte[] pair = "\\ud83d\\ude00".getBytes(US_ASCII);
    for (int at = 100; at + 200 < SIZE; at += pair.length) {
      System.arraycopy(pair, 0, body, at, pair.length);
    }
    RequestOutline.readConversation(body, SIZE);
    assertThat(allocatedBy(() -> RequestOutline.readConversation(body, SIZE))).isLessThan(MB);
  }

  @Test
  void manyShortMessagesCostABoundedHeap() throws InvalidBodyException {
    StringBuilder text = new StringBuilder("{\"messages\":[");
    for (int i = 0; i < 160_000; i++) {
      text.append(i == 0 ? "" : ",").append("{\"role\":\"user\",\"content\":\"a\"}");
    }
    byte[] body = text.append("]}").toString().getBytes(US_ASCII);
    // Short-lived: a place for each string, and what duplicate detection needs.
    assertThat(allocatedBy(() -> RequestOutline.readConversation(body, body.length)))
        .isLessThan(150 * MB);
  }

  @Test
  void theOutlineOfManyTinyFieldsEndsEarly() throws InvalidBodyException {
    byte[] body = repeated(2_500_000, i -> "\"" + Integer.toString(i, 36) + "\":1");
    assertThat(
            allocatedBy(
                () ->
                    assertThatThrownBy(() -> RequestOutline.read(body, body.length))
                        .hasMessageContaining("one too many")))
        .isLessThan(MB);
  }

  private static long allocatedByRefusing(byte[] body) throws InvalidBodyException {
    return allocatedBy(
        () ->
            assertThatThrownBy(() -> RequestHead.read(body, body.length))
                .isInstanceOf(InvalidBodyException.class));
  }
}
