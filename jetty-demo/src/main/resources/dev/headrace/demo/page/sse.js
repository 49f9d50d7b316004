/**
 * Reads `text/event-stream` (WHATWG HTML, 9.2), piece by piece.
 *
 * Lines may end in LF, CRLF or CR and may arrive over many pieces. An event without its closing
 * blank line at the end of the stream is dropped, as the standard asks.
 */
export class SseParser {
  #onEvent;
  #lineParts = []; // pieces of the unfinished line, joined once, so that a huge event stays linear
  #lastWasCr = false;
  #name = '';
  #data = [];

  /** @param {(event: {name: string, data: string}) => void} onEvent */
  constructor(onEvent) {
    this.#onEvent = onEvent;
  }

  /** Takes the next decoded text; calls back once for each event that it completes. */
  push(text) {
    if (text === '') return;
    let start = this.#lastWasCr && text[0] === '\n' ? 1 : 0;
    this.#lastWasCr = false;
    const lineEnd = /\r\n|\r|\n/g;
    lineEnd.lastIndex = start;
    for (let match = lineEnd.exec(text); match !== null; match = lineEnd.exec(text)) {
      this.#lineParts.push(text.slice(start, match.index));
      const line = this.#lineParts.join('');
      this.#lineParts = [];
      start = lineEnd.lastIndex;
      this.#lastWasCr = match[0] === '\r' && start === text.length;
      this.#line(line);
    }
    if (start < text.length) this.#lineParts.push(text.slice(start));
  }

  #line(line) {
    if (line === '') {
      if (this.#data.length > 0) {
        this.#onEvent({ name: this.#name || 'message', data: this.#data.join('\n') });
      }
      this.#name = '';
      this.#data = [];
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment, such as a keep-alive
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    // "id" and "retry" mean nothing to a request that cannot be resumed.
  }
}

/**
 * Reads a byte stream to its end. A character split over two chunks is put together by the decoder.
 *
 * @param {ReadableStream<Uint8Array>} stream
 * @param {(event: {name: string, data: string}) => void} onEvent
 */
export async function readEvents(stream, onEvent) {
  const parser = new SseParser(onEvent);
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parser.push(decoder.decode(value, { stream: true }));
    }
    parser.push(decoder.decode());
  } catch (failure) {
    reader.cancel(failure).catch(() => {}); // the stream is broken already; nothing more to learn
    throw failure;
  }
}
