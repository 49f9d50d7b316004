import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents, SseParser } from '../../main/resources/dev/headrace/demo/page/sse.js';

const cases = [
  ['one event', 'event: ping\ndata: {}\n\n', [['ping', '{}']]],
  ['no name', 'data: x\n\n', [['message', 'x']]],
  ['several data lines', 'data: a\ndata:\ndata: c\n\n', [['message', 'a\n\nc']]],
  ['comments between and inside', ': hello\n\nevent: a\n: inside\ndata: 1\n\n:\n\n', [['a', '1']]],
  ['only the first space goes', 'data:  x \n\n', [['message', ' x ']]],
  ['a field without a colon', 'data\n\n', [['message', '']]],
  ['a name alone is no event', 'event: a\n\ndata: x\n\n', [['message', 'x']]],
  ['unknown fields', 'id: 7\nretry: 10\nother: y\ndata: x\n\n', [['message', 'x']]],
  ['the last event is not finished', 'data: a\n\nevent: b\ndata: b\n', [['message', 'a']]],
  ['outside ASCII', 'data: Grüße 👋 € \u2028\n\n', [['message', 'Grüße 👋 € \u2028']]],
  ['several blank lines', '\n\n\ndata: a\n\n\n\ndata: b\n\n', [['message', 'a'], ['message', 'b']]],
];
const lineEnds = { LF: '\n', CRLF: '\r\n', CR: '\r' };

const streamOf = (chunks) =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

async function eventsOf(chunks) {
  const events = [];
  await readEvents(streamOf(chunks), ({ name, data }) => events.push([name, data]));
  return events;
}

for (const [title, text, expected] of cases) {
  for (const [name, end] of Object.entries(lineEnds)) {
    test(`${title}, lines end in ${name}, cut at every byte`, async () => {
      const bytes = new TextEncoder().encode(text.replaceAll('\n', end));
      assert.deepEqual(await eventsOf([bytes]), expected);
      assert.deepEqual(await eventsOf([...bytes].map((byte) => Uint8Array.of(byte))), expected);
      for (let cut = 1; cut < bytes.length; cut++) {
        assert.deepEqual(await eventsOf([bytes.slice(0, cut), bytes.slice(cut)]), expected, `cut at ${cut}`);
      }
    });
  }
}

test('a byte order mark is not part of the first field', async () => {
  assert.deepEqual(await eventsOf([new TextEncoder().encode('\uFEFFdata: a\n\n')]), [['message', 'a']]);
});

test('an event is told as soon as its blank line is there', () => {
  const events = [];
  const parser = new SseParser(({ data }) => events.push(data));
  parser.push('data: a\n');
  assert.deepEqual(events, []);
  parser.push('\n');
  assert.deepEqual(events, ['a']);
  parser.push('data: b\r\r'); // no need to wait whether a LF follows
  assert.deepEqual(events, ['a', 'b']);
  parser.push('\ndata: c\n\n');
  assert.deepEqual(events, ['a', 'b', 'c']);
});

test('an event of megabytes in small pieces takes linear time', () => {
  let length = 0;
  const parser = new SseParser(({ data }) => (length = data.length));
  parser.push('data: ');
  const piece = 'x'.repeat(64);
  for (let i = 0; i < 100_000; i++) parser.push(piece);
  parser.push('\n\n');
  assert.equal(length, 6_400_000);
});

test('a stream that breaks is reported, after the events before the break', async () => {
  const events = [];
  let calls = 0;
  const stream = new ReadableStream({
    pull(controller) {
      if (calls++ === 0) controller.enqueue(new TextEncoder().encode('data: a\n\ndata: b'));
      else controller.error(new Error('reset'));
    },
  });
  await assert.rejects(readEvents(stream, ({ data }) => events.push(data)), /reset/);
  assert.deepEqual(events, ['a']);
});
