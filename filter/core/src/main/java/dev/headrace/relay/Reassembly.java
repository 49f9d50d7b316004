package dev.headrace.relay;

import dev.headrace.messages.EventConsumer;
import dev.headrace.messages.MessageAssembler;
import dev.headrace.messages.MessageEvent;
import dev.headrace.observe.Outcome;
import dev.headrace.spi.FinishedMessage;
import dev.headrace.spi.PartialMessage;
import dev.headrace.spi.StreamStart;
import dev.headrace.spi.Tokens;
import dev.headrace.sse.SseEvent;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Puts one message together for the application's listeners. On the upstream's I/O thread events
 * are only copied; they are read and the listeners called on the listeners' threads, in order.
 * Thread-safe.
 */
final class Reassembly implements EventConsumer {

  /** Events are handed over in portions of about this size, not one by one. */
  private static final int PORTION_BYTES = 16 * 1024;

  private static final int LENGTH_BYTES = 4; // before the data of each event

  private final StreamStart start;
  private final Listeners listeners;
  private final Listeners.Lane lane;

  /** Listeners' threads only, one at a time. */
  private final MessageAssembler assembler;

  // Guarded by this.
  private byte[] portion = new byte[1024];
  private int filled;
  private boolean given; // up: too much waits
  private boolean ended;

  /**
   * @param maxBytes most bytes of event data of one message
   */
  Reassembly(StreamStart start, int maxBytes, Listeners listeners, Listeners.Lane lane) {
    this.start = start;
    this.listeners = listeners;
    this.lane = lane;
    this.assembler = new MessageAssembler(maxBytes);
    handOver(() -> listeners.tell(start.exchangeId(), each -> each.onStart(start)), 0);
  }

  @Override
  public synchronized void onEvent(MessageEvent kind, SseEvent event) {
    if (ended || given || kind == MessageEvent.PING || kind == MessageEvent.OTHER) {
      return; // a client ignores these, too
    }
    if (event.truncated()) {
      giveUp();
      return;
    }
    int length = event.dataLength();
    int needed = filled + LENGTH_BYTES + length;
    if (needed > portion.length) {
      portion = Arrays.copyOf(portion, Math.max(needed, portion.length * 2));
    }
    ByteBuffer.wrap(portion).putInt(filled, length);
    System.arraycopy(event.data(), event.dataOffset(), portion, filled + LENGTH_BYTES, length);
    filled = needed;
    if (filled >= PORTION_BYTES) {
      handOverPortion();
    }
  }

  private void handOverPortion() {
    byte[] events = portion;
    int length = filled;
    portion = new byte[PORTION_BYTES];
    filled = 0;
    if (length > 0 && !handOver(() -> read(events, length), length)) {
      giveUp();
    }
  }

  private void giveUp() {
    given = true;
    portion = new byte[0];
    filled = 0;
  }

  private boolean handOver(Runnable task, int bytes) {
    if (!listeners.reserve(bytes)) {
      return false;
    }
    boolean added =
        lane.add(
            () -> {
              try {
                task.run();
              } finally {
                listeners.release(bytes);
              }
            });
    if (!added) {
      listeners.release(bytes);
    }
    return added;
  }

  private void read(byte[] events, int length) {
    ByteBuffer lengths = ByteBuffer.wrap(events);
    int at = 0;
    while (at < length) {
      int size = lengths.getInt(at);
      assembler.event(events, at + LENGTH_BYTES, size);
      at += LENGTH_BYTES + size;
    }
  }

  /**
   * Tells the listeners how it ended, once everything before has been read.
   *
   * @param usage tokens by class, as far as known
   */
  synchronized void end(Outcome outcome, Tokens usage) {
    if (ended) {
      return;
    }
    handOverPortion();
    ended = true;
    boolean incomplete = given;
    if (!handOver(() -> tellEnd(outcome, usage, incomplete), 0)) {
      listeners.leaveOut();
    }
  }

  private void tellEnd(Outcome outcome, Tokens usage, boolean incomplete) {
    if (!incomplete && assembler.isComplete()) {
      FinishedMessage message =
          new FinishedMessage(
              String.valueOf(assembler.json()),
              assembler.id(),
              assembler.model(),
              assembler.text(),
              assembler.stopReason(),
              usage,
              assembler.invalidToolInputs().stream()
                  .map(each -> new FinishedMessage.InvalidToolInput(each.index(), each.raw()))
                  .toList(),
              outcome.kind() == Outcome.Kind.COMPLETED);
      listeners.tell(start.exchangeId(), each -> each.onMessage(start, message));
    } else {
      PartialMessage partial =
          new PartialMessage(
              incomplete ? null : assembler.json(),
              incomplete ? "" : assembler.text(),
              outcome.kind().name(),
              incomplete ? "too large to follow, or too much waited" : outcome.detail(),
              assembler.errorType());
      listeners.tell(start.exchangeId(), each -> each.onAborted(start, partial));
    }
  }
}
