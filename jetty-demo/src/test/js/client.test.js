import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../../../../filter/core/src/main/resources/META-INF/resources/headrace/headrace.js';
import { newAnswer, textOf } from '../../main/resources/dev/headrace/demo/page/answer.js';
import { ask } from '../../main/resources/dev/headrace/demo/page/client.js';
import { explain } from '../../main/resources/dev/headrace/demo/page/problems.js';

const sse = { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_h' };
const event = (name, data) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const begun = event('start', { id: 'msg_1', model: 'claude-sonnet-5-5' }) + event('text', { text: 'Half' });
const ended = (reason) => event('done', { stop_reason: reason });
const whole = begun + ended('end_turn');

/** Asks with this `fetch`; gives the outcome and what the reader is told. */
async function askedOf(fetch, controller = new AbortController()) {
  const answer = newAnswer();
  let changes = 0;
  const outcome = await ask({ stream, body: { messages: [] }, answer, signal: controller.signal, onChange: () => changes++, fetch });
  return { outcome, answer, changes, told: explain(outcome, answer, textOf(answer) !== '') };
}

/** Asks a server that answers like this. */
function asked(body, { status = 200, headers = sse, breaks = false } = {}) {
  let sent = false;
  const content = new ReadableStream({
    pull(to) {
      if (!sent) to.enqueue(new TextEncoder().encode(body));
      else if (breaks) to.error(new TypeError('network error'));
      else to.close();
      sent = true;
    },
  });
  return askedOf(async () => new Response(content, { status, headers }));
}

const jsonError = (type, message, extra = {}) => JSON.stringify({ type: 'error', error: { type, message, ...extra }, request_id: 'req_b' });
const json = (more = {}) => ({ 'content-type': 'application/json', ...more });

test('the page asks the gateway for a stream with thinking', async () => {
  let request;
  await askedOf(async (url, { body }) => {
    request = [url, JSON.parse(body)];
    return new Response(whole, { headers: sse });
  });
  assert.deepEqual(request, ['/claude/v1/messages?format=simple&thinking=true', { messages: [], stream: true }]);
});

test('a whole answer needs no words', async () => {
  const { outcome, told, changes } = await asked(whole);
  assert.deepEqual(outcome, { kind: 'complete', requestId: 'req_h' });
  assert.equal(told, null);
  assert.equal(changes, 3);
});

test('a connection that breaks in the middle', async () => {
  const { answer, told } = await asked(begun, { breaks: true });
  assert.equal(textOf(answer), 'Half');
  assert.match(told.title, /^Cut off: the connection was lost/);
  assert.equal(told.action, 'retry');
  assert.equal((await asked(event('start', {}), { breaks: true })).told.title, 'The connection was lost');
});

test('an end without done is incomplete', async () => {
  assert.equal((await asked(begun)).told.title, 'The answer is incomplete');
});

test('an error event in the middle and as the first event', async () => {
  const error = (more) => event('error', { type: 'overloaded_error', message: 'Overloaded', request_id: 'req_e', retryable: true, ...more });
  const middle = await asked(begun + error());
  assert.equal(middle.outcome.requestId, 'req_e');
  assert.equal(middle.told.title, 'Cut off: Claude is overloaded');
  assert.equal(middle.told.said, 'Overloaded');
  assert.equal(middle.told.action, 'retry');
  const first = await asked(error({ retryable: false }));
  assert.equal(first.told.title, 'Claude is overloaded');
  assert.equal(first.told.action, null);
});

test('an event that is no JSON', async () => {
  assert.match((await asked(`${begun}event: text\ndata: {"te\n\n`)).told.title, /could not be read/);
});

test('stopping, before and after the first word', async () => {
  const before = new AbortController();
  before.abort();
  assert.equal((await askedOf(async () => assert.fail('nothing is asked'), before)).outcome.kind, 'stopped');
  const controller = new AbortController();
  const open = new ReadableStream({
    start(to) {
      to.enqueue(new TextEncoder().encode(begun));
      setTimeout(() => controller.abort(), 20);
    },
  });
  const { outcome, told, answer } = await askedOf(async () => new Response(open, { headers: sse }), controller);
  assert.equal(outcome.kind, 'stopped');
  assert.equal(textOf(answer), 'Half');
  assert.equal(told.title, 'Stopped by you');
});

test('no server at all, and a fault of the page itself', async () => {
  const { told } = await askedOf(async () => {
    throw new TypeError('fetch failed');
  });
  assert.equal(told.title, 'The demo server cannot be reached');
  const failed = { kind: 'failed', error: new RangeError('oh') };
  assert.deepEqual([explain(failed, newAnswer(), false).title, explain(failed, newAnswer(), false).text], ['Something unforeseen happened', 'RangeError: oh']);
});

const statuses = [
  [400, 'invalid_request_error', 'The request was not accepted', null],
  [401, 'authentication_error', 'The API key was not accepted', null],
  [402, 'billing_error', 'There is a billing problem', null],
  [403, 'permission_error', 'Not allowed', null],
  [404, 'not_found_error', 'Not found', null],
  [409, 'conflict_error', 'The request collided with another one', 'retry'],
  [413, 'request_too_large', 'The conversation is too large', null],
  [418, 'teapot_error', 'The request was not accepted', null],
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
  const words = async (reason) => (await asked(begun + ended(reason))).told;
  assert.equal((await words('max_tokens')).action, 'continue');
  assert.equal((await words('refusal')).title, 'Claude declined to answer');
  assert.equal((await words('tool_use')).title, 'Claude asks for a tool');
  assert.equal(await words('stop_sequence'), null);
  assert.equal(await words('something_new'), null);
  assert.equal((await asked(ended('end_turn'))).told.title, 'An empty answer');
});
