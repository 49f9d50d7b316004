import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newAnswer, textOf } from '../../main/resources/dev/headrace/demo/page/answer.js';
import { ask, retryAfter } from '../../main/resources/dev/headrace/demo/page/client.js';
import { explain } from '../../main/resources/dev/headrace/demo/page/problems.js';
import { messageDelta, messageStart, messageStop, textBlock } from './events.js';

const sse = { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_h' };
const wire = (events) => events.flat().map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}  \n\n`).join('');
const begun = [messageStart(), textBlock(0, 'Half')];
const whole = [...begun, messageDelta('end_turn', { output_tokens: 3 }), messageStop];

/** Asks a server that answers like this; gives the outcome and what the reader is told. */
async function asked(body, { status = 200, headers = sse, breaks = false, controller = new AbortController() } = {}) {
  const answer = newAnswer();
  let sent = false;
  const stream = new ReadableStream({
    pull(to) {
      if (!sent) to.enqueue(new TextEncoder().encode(body));
      else if (breaks) to.error(new TypeError('network error'));
      else to.close();
      sent = true;
    },
  });
  const outcome = await ask({
    body: {},
    answer,
    signal: controller.signal,
    onChange: () => {},
    fetch: async () => new Response(stream, { status, headers }),
  });
  return { outcome, answer, told: explain(outcome, answer, textOf(answer) !== '') };
}

const jsonError = (type, message, extra = {}) => JSON.stringify({ type: 'error', error: { type, message, ...extra }, request_id: 'req_b' });
const json = (more = {}) => ({ 'content-type': 'application/json', ...more });

test('a whole answer needs no words', async () => {
  const { outcome, told } = await asked(wire(whole));
  assert.deepEqual(outcome, { kind: 'complete', requestId: 'req_h' });
  assert.equal(told, null);
});

test('a connection that breaks after the end took nothing away', async () => {
  assert.equal((await asked(wire(whole), { breaks: true })).outcome.kind, 'complete');
});

test('a connection that breaks in the middle', async () => {
  const { outcome, answer, told } = await asked(wire(begun), { breaks: true });
  assert.equal(outcome.kind, 'lost');
  assert.equal(textOf(answer), 'Half');
  assert.match(told.title, /^Cut off: the connection was lost/);
  assert.equal(told.action, 'retry');
});

test('a clean end without message_stop is incomplete', async () => {
  const { outcome, told } = await asked(wire(begun));
  assert.equal(outcome.kind, 'incomplete');
  assert.equal(told.title, 'The answer is incomplete');
});

test('an error event in the middle and as the first event', async () => {
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_e' };
  const middle = await asked(wire([...begun, error]));
  assert.equal(middle.outcome.requestId, 'req_e');
  assert.equal(middle.told.title, 'Cut off: Claude is overloaded');
  assert.equal(middle.told.said, 'Overloaded');
  assert.equal((await asked(wire([error]))).told.title, 'Claude is overloaded');
});

test('an event that is no JSON', async () => {
  for (const data of ['{"type":', '7', 'null']) {
    const { outcome, told } = await asked(`${wire(begun)}data: ${data}\n\n`);
    assert.equal(outcome.kind, 'garbled');
    assert.match(told.title, /could not be read/);
  }
});

test('stopping, before and after the first word', async () => {
  const before = new AbortController();
  before.abort();
  const outcome = await ask({
    body: {},
    answer: newAnswer(),
    signal: before.signal,
    onChange: () => {},
    fetch: async (_, { signal }) => signal.throwIfAborted(),
  });
  assert.equal(outcome.kind, 'stopped');
  const controller = new AbortController();
  controller.abort();
  const { outcome: later, told } = await asked(wire(begun), { breaks: true, controller });
  assert.equal(later.kind, 'stopped');
  assert.equal(told.title, 'Stopped by you');
});

test('no server at all', async () => {
  const outcome = await ask({
    body: {},
    answer: newAnswer(),
    signal: new AbortController().signal,
    onChange: () => {},
    fetch: async () => {
      throw new TypeError('fetch failed');
    },
  });
  assert.equal(explain(outcome, newAnswer(), false).title, 'The demo server cannot be reached');
});

const statuses = [
  [400, 'invalid_request_error', 'The request was not accepted', null],
  [401, 'authentication_error', 'The API key was not accepted', null],
  [402, 'billing_error', 'There is a billing problem', null],
  [403, 'permission_error', 'Not allowed', null],
  [404, 'not_found_error', 'Not found', null],
  [409, 'conflict_error', 'The request collided with another one', 'retry'],
  [413, 'request_too_large', 'The conversation is too large', null],
  [418, 'teapot_error', 'The request was not accepted', 'retry'],
  [429, 'rate_limit_error', 'Too many requests', 'retry'],
  [500, 'api_error', 'Claude had an internal error', 'retry'],
  [502, 'api_error', 'The gateway got no usable answer', 'retry'],
  [503, 'api_error', 'Claude is not available', 'retry'],
  [504, 'timeout_error', 'Claude did not answer in time', 'retry'],
  [529, 'overloaded_error', 'Claude is overloaded', 'retry'],
  [599, 'new_error', 'The server failed', 'retry'],
];
for (const [status, type, title, action] of statuses) {
  test(`status ${status}`, async () => {
    const { outcome, told } = await asked(jsonError(type, 'the words'), { status, headers: json() });
    assert.equal(outcome.requestId, 'req_b');
    assert.equal(told.title, title);
    assert.equal(told.said, 'the words');
    assert.equal(told.action, action);
  });
}

test('429 counts down, a spending limit does not', async () => {
  const limited = await asked(jsonError('rate_limit_error', 'slow'), { status: 429, headers: json({ 'retry-after': '7' }) });
  assert.equal(limited.told.retryAfterSeconds, 7);
  const spent = await asked(jsonError('rate_limit_error', 'spent', { details: { error_code: 'enforced_spend_limit_reached' } }), {
    status: 429,
    headers: json(),
  });
  assert.equal(spent.told.title, 'A spending limit is reached');
  assert.equal(spent.told.action, null);
});

test('the short error shape of the edge, and bodies that are no JSON', async () => {
  const edge = JSON.stringify({ error: { type: 'request_too_large', message: 'Request exceeds the maximum size' } });
  assert.equal((await asked(edge, { status: 413, headers: json() })).told.said, 'Request exceeds the maximum size');
  const html = '<html><head><title>x</title></head><body><h1>503 Service Unavailable</h1><script>bad()</script></body></html>';
  const page = await asked(html, { status: 503, headers: { 'content-type': 'text/html' } });
  assert.equal(page.told.said, '503 Service Unavailable');
  assert.match(page.told.text, /HTTP 503/);
  assert.equal((await asked('', { status: 502 })).told.said, null);
  assert.equal((await asked('[]', { status: 502 })).told.title, 'The gateway got no usable answer');
});

test('200 with a login page', async () => {
  const { told } = await asked('<p>Please sign in</p>', { headers: { 'content-type': 'text/html' } });
  assert.equal(told.title, 'That was no answer from Claude');
  assert.equal(told.said, 'Please sign in');
});

test('stop reasons that need words', async () => {
  const ended = async (reason) => (await asked(wire([...begun, messageDelta(reason), messageStop]))).told;
  assert.equal((await ended('max_tokens')).action, 'continue');
  assert.equal((await ended('refusal')).title, 'Claude declined to answer');
  assert.equal((await ended('tool_use')).title, 'Claude asks for a tool');
  assert.equal(await ended('stop_sequence'), null);
  assert.equal(await ended('something_new'), null);
  const empty = await asked(wire([messageStart(), messageDelta('end_turn'), messageStop]));
  assert.equal(empty.told.title, 'An empty answer');
});

test('retry-after in seconds, as a date, and broken', () => {
  const of = (value) => retryAfter(new Headers(value === null ? {} : { 'retry-after': value }), Date.parse('2026-11-22T10:00:00Z'));
  assert.equal(of('12'), 12);
  assert.equal(of('Sun, 22 Nov 2026 10:00:30 GMT'), 30);
  assert.equal(of('Sun, 22 Nov 2026 09:00:00 GMT'), 0);
  assert.equal(of('soon'), null);
  assert.equal(of(null), null);
});
