/** What the bytes of an answer mean, wherever they are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadraceError, stream } from '../../main/resources/META-INF/resources/headrace/headrace.js';
import { bytes, claude, done, event, fetching, start, streamHead, text, usage, whole } from './gateway.js';

/** Everything that an answer of these chunks tells; the error, if there is one, comes last. */
async function told(chunks, headers) {
  const events = [];
  try {
    for await (const each of stream({ url: '/a', body: {}, fetch: fetching(chunks, headers && { headers }) })) events.push(each);
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
    events.push(error.type);
  }
  return events;
}

/** The same whole, byte by byte, and in two parts cut at every byte. */
async function toldAtEverySplit(words, expected, headers) {
  const all = bytes(words);
  assert.deepEqual(await told([all], headers), expected, 'whole');
  for (let cut = 1; cut < all.length; cut++) {
    assert.deepEqual(await told([all.slice(0, cut), all.slice(cut)], headers), expected, `cut at ${cut}`);
  }
  assert.deepEqual(await told([...all].map((byte) => Uint8Array.of(byte)), headers), expected, 'byte by byte');
}

/** Neighbouring texts as one: plain text has no events of its own. */
function joined(events, event) {
  const last = events.at(-1);
  return event.type === 'text' && last?.type === 'text'
    ? [...events.slice(0, -1), { type: 'text', text: last.text + event.text }]
    : [...events, event];
}

const said = (words) => ({ type: 'text', text: words });
const finished = { type: 'done', stopReason: 'end_turn' };
const counts = { type: 'usage', inputTokens: 14, outputTokens: 12, cacheReadTokens: 3, cacheWriteTokens: 2, costUsd: 0.000153 };

const framings = [
  ['an answer', whole.join(''), [{ type: 'start', id: 'msg_1', model: 'claude-sonnet-5-5' }, said('Grüße'), said(' aus Köln! 👋'), counts, finished]],
  ['comments between and inside', `: hello\n\nevent: text\n: inside\ndata: {"text":"a"}\n\n:\n\n${done}`, [said('a'), finished]],
  ['data over several lines', `event: text\ndata: {"text":\ndata:\ndata: "a"}\n\n${done}`, [said('a'), finished]],
  ['fields in another order, without a space, and unknown ones', `data:{"text":"a"}\nid: 7\nretry: 10\nother\nevent:text\n\n${done}`, [said('a'), finished]],
  ['a name alone is no event', `event: text\n\n${done}`, [finished]],
  ['an event without a name, and names that are not known', `data: {"text":"a"}\n\nevent: constructor\ndata: x\n\nevent: ping\ndata: {}\n\n${done}`, [finished]],
  ['several blank lines', `\n\n\n${text('a')}\n\n${done}`, [said('a'), finished]],
  ['an end without a blank line is no end', `${text('a')}event: done\ndata: {"stop_reason":"end_turn"}\n`, [said('a'), 'stream_cut']],
  ['nothing follows the end', `${done}${text('late')}`, [finished]],
  ['characters of two, three and four bytes', `${text('ü€\u2028👋')}${done}`, [said('ü€\u2028👋'), finished]],
];
for (const [title, words, expected] of framings) {
  for (const [name, end] of Object.entries({ LF: '\n', CRLF: '\r\n', CR: '\r' })) {
    test(`${title}; lines end in ${name}, cut at every byte`, () => toldAtEverySplit(words.replaceAll('\n', end), expected));
  }
}

test('a byte order mark is no part of the first field, at every split', () => toldAtEverySplit(`\uFEFF${text('a')}${done}`, [said('a'), finished]));

test('thinking, tools and their broken input', async () => {
  const answer = [
    event('thinking', { text: 'Hm' }),
    event('tool', { id: 't1', name: 'get_weather', input: { city: 'Lyon' } }),
    event('tool', { id: 't2', name: 'get_weather', input_text: '{"ci' }),
    done,
  ];
  assert.deepEqual(await told([bytes(answer.join(''))]), [
    { type: 'thinking', text: 'Hm' },
    { type: 'tool', id: 't1', name: 'get_weather', input: { city: 'Lyon' } },
    { type: 'tool', id: 't2', name: 'get_weather', inputText: '{"ci' },
    finished,
  ]);
});

test('a price that is not known is null, not zero', async () => {
  const [told1] = await told([bytes(usage({ cost_usd: null }) + done)]);
  assert.equal(told1.costUsd, null);
});

test("Claude's own events are told in the same words, at every split", async () => {
  const answer = [
    { type: 'message_start', message: { id: 'msg_2', model: 'claude-opus-5-5', usage: { input_tokens: 61, cache_creation_input_tokens: 1500, cache_read_input_tokens: 8200, output_tokens: 3 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
    { type: 'ping' },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'EvQ' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Grüße' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'hologram', index: 1 },
    { type: 'content_block_start', index: 2, content_block: { type: 'hologram' } },
    { type: 'content_block_delta', index: 2, delta: { type: 'hologram_delta' } },
    { type: 'content_block_stop', index: 2 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { input_tokens: 70, cache_read_input_tokens: null, output_tokens: 58 } },
    { type: 'message_stop' },
  ];
  await toldAtEverySplit(answer.map(claude).join(''), [
    { type: 'start', id: 'msg_2', model: 'claude-opus-5-5' },
    { type: 'thinking', text: 'Hm' },
    said('Grüße'),
    { type: 'usage', inputTokens: 70, outputTokens: 58, cacheReadTokens: 8200, cacheWriteTokens: 1500, costUsd: null },
    finished,
  ]);
});

test("Claude's tools come whole, also when blocks interleave, without arguments, or cut", async () => {
  const open = (index, type = 'tool_use') => ({ type: 'content_block_start', index, content_block: { type, id: `t${index}`, name: 'n', input: {} } });
  const part = (index, json) => ({ type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json: json } });
  const close = (index) => ({ type: 'content_block_stop', index });
  const begin = { type: 'message_start', message: { id: 'm', model: 'c' } };
  const answer = [begin, open(0), open(1), part(0, ''), part(1, ''), part(0, '{"a'), part(1, '{"b":2}'), close(1), part(0, '":1}'), close(0), open(2), part(2, ''), close(2)];
  answer.push(open(3), part(3, '{"a": '), close(3), open(4, 'server_tool_use'), part(4, '{"query":"q"}'), close(4));
  answer.push(open(5), part(5, '[1]'), close(5), open(6), part(6, '{}'), { type: 'message_stop' });
  assert.deepEqual(await told([bytes(answer.map(claude).join(''))]), [
    { type: 'start', id: 'm', model: 'c' },
    { type: 'tool', id: 't1', name: 'n', input: { b: 2 } },
    { type: 'tool', id: 't0', name: 'n', input: { a: 1 } },
    { type: 'tool', id: 't2', name: 'n', input: {} },
    { type: 'tool', id: 't3', name: 'n', inputText: '{"a": ' },
    { type: 'tool', id: 't5', name: 'n', inputText: '[1]' },
    { type: 'tool', id: 't6', name: 'n', input: {} }, // left open
    { type: 'usage', inputTokens: null, outputTokens: null, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: null },
    { type: 'done', stopReason: null },
  ]);
});

test("what stands in the wrong place in Claude's events makes no whole answer", async () => {
  const begin = { type: 'message_start', message: { id: 'm', model: 'c' } };
  const open = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
  const say = (index, text) => ({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } });
  const end = { type: 'message_stop' };
  for (const [title, answer] of Object.entries({
    'a second start': [begin, open, say(0, 'A'), begin, end],
    'only an end': [end],
    'a delta of no block': [begin, say(0, 'A'), end],
    'a delta of a block that has ended': [begin, open, { type: 'content_block_stop', index: 0 }, say(0, 'A'), end],
    'a text that is none': [begin, open, say(0, null), end],
  })) {
    assert.equal((await told([bytes(answer.map(claude).join(''))])).at(-1), 'unexpected_response', title);
  }
});

test('a model that takes over is the one that has answered', async () => {
  const fallback = { type: 'fallback', from: { model: 'c' }, to: { model: 'd' } };
  const answer = [
    { type: 'message_start', message: { id: 'm', model: 'c', usage: { input_tokens: 5, cache_creation: { ephemeral_5m_input_tokens: 7 } } } },
    { type: 'content_block_start', index: 0, content_block: fallback },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ];
  const end = { type: 'done', stopReason: 'end_turn', model: 'd' };
  const events = await told([bytes(answer.map(claude).join(''))]);
  assert.deepEqual(events.at(-1), end);
  assert.equal(events.at(-2).cacheWriteTokens, 7);
  const simple = `${start}${event('done', { stop_reason: 'end_turn', model: 'd' })}`;
  assert.deepEqual((await told([bytes(simple)])).at(-1), end);
  const answered = await stream({ url: '/a', body: {}, fetch: fetching([bytes(simple)]) });
  assert.equal(answered.model, 'd');
});

test("the output count of Claude's first event is a placeholder and never told", async () => {
  const answer = [{ type: 'message_start', message: { id: 'm', model: 'c', usage: { input_tokens: 5, output_tokens: 9 } } }, { type: 'message_stop' }];
  const counted = (await told([bytes(answer.map(claude).join(''))])).find(({ type }) => type === 'usage');
  assert.equal(counted.outputTokens, null);
});

test('plain text comes as it is cut, but never with half a character', async () => {
  const all = bytes('Grüße\r\n👋');
  for (let cut = 0; cut <= all.length; cut++) {
    const events = await told([all.slice(0, cut), all.slice(cut)], { ...streamHead, 'content-type': 'text/plain; charset=utf-8' });
    assert.deepEqual(events.reduce(joined, []), [said('Grüße\r\n👋'), { type: 'done', stopReason: null }], `cut at ${cut}`);
  }
});

test('an event of megabytes in small pieces takes linear time', async () => {
  const piece = bytes('x'.repeat(64));
  const chunks = [bytes('event: text\ndata: {"text":"'), ...Array(50_000).fill(piece), bytes(`"}\n\n${done}`)];
  const answer = await stream({ url: '/a', body: {}, fetch: fetching(chunks) });
  assert.equal(answer.text.length, 3_200_000);
});

test('an event that is no JSON object ends the answer, and its content is in no message', async () => {
  for (const data of ['{"text":"secret', '7', 'null']) {
    const reading = stream({ url: '/a', body: {}, fetch: fetching([bytes(`${start}${text('Half')}event: text\ndata: ${data}\n\n${done}`)]) });
    await assert.rejects(async () => await reading, (error) => {
      assert.equal(error.type, 'unexpected_response');
      assert.equal(error.partial, 'Half');
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
});
