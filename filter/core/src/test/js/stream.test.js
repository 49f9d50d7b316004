/** One call against a scripted server: what goes out, what comes back, and how it ends. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HeadraceError, stream } from '../../main/resources/META-INF/resources/headrace/headrace.js';
import { bytes, claude, done, event, fetching, gateway, sending, stalling, start, streamHead, text, usage, whole } from './gateway.js';

let answer; // what the server does next
let server;
before(async () => (server = await gateway((request, response) => answer(request, response))));
after(() => server.close());

/** Asks the scripted server. */
function ask(how, options = {}) {
  answer = how;
  return stream({ url: `${server.origin}/app/claude/chat/support`, body: { messages: [] }, ...options });
}
const lastSeen = () => server.seen.at(-1);
const seenInTime = async (condition) => {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
async function failure(reading) {
  try {
    await reading;
  } catch (error) {
    return error;
  }
  return assert.fail('it should have failed');
}

// --- what goes out ---

test('the request asks for a stream in format simple, as JSON', async () => {
  await ask(sending(whole), { body: { model: 'm', stream: false, messages: [] }, headers: { 'x-own': '1' } });
  const { method, url, headers, body } = lastSeen();
  assert.equal(method, 'POST');
  assert.equal(url, '/app/claude/chat/support?format=simple');
  assert.deepEqual(body, { model: 'm', stream: true, messages: [] });
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers.accept, 'text/event-stream');
  assert.equal(headers['x-own'], '1');
  assert.equal('anthropic-version' in headers, false, 'a preset needs none');
});

test('the raw endpoint gets a version, unless one is given', async () => {
  const url = `${server.origin}/claude/v1/messages?a=b#c`;
  await ask(sending(whole), { url });
  assert.equal(lastSeen().headers['anthropic-version'], '2026-10-21');
  assert.equal(lastSeen().url, '/claude/v1/messages?a=b&format=simple');
  await ask(sending(whole), { url: new URL(url), headers: new Headers({ 'Anthropic-Version': '2023-06-01', accept: 'text/plain' }) });
  assert.equal(lastSeen().headers['anthropic-version'], '2023-06-01');
  assert.equal(lastSeen().headers.accept, 'text/plain');
});

test('format and thinking can be chosen, and a format in the url stays', async () => {
  const url = `${server.origin}/c`;
  for (const [options, query] of [
    [{ thinking: true }, '?format=simple&thinking=true'],
    [{ format: 'events' }, '?format=events'],
    [{ format: null }, ''],
    [{ url: `${url}?format=text` }, '?format=text'],
    [{ url: `${url}?x=format`, format: null, thinking: true }, '?x=format&thinking=true'],
  ]) {
    await ask(sending(whole), { url, ...options });
    assert.equal(lastSeen().url, `/c${query}`);
  }
});

test('relative addresses, credentials and the cache are left to fetch', async () => {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push([url, init.credentials, init.cache, init.method]);
    return fetching([bytes(done)])();
  };
  await stream({ url: 'claude/v1/messages', body: {}, fetch });
  await stream({ url: '../c?format=simple', body: {}, fetch, credentials: 'include' });
  assert.deepEqual(asked, [
    ['claude/v1/messages?format=simple', 'same-origin', 'no-store', 'POST'],
    ['../c?format=simple', 'include', 'no-store', 'POST'],
  ]);
});

/** What a page has, for as long as `body` runs. */
async function onPage({ metas = {}, cookie = '' }, body) {
  const content = (name) => (name in metas ? { content: metas[name] } : null);
  globalThis.document = {
    cookie,
    baseURI: `${server.origin}/app/`,
    querySelector: (selector) => content(/^meta\[name="(.+)"\]$/.exec(selector)[1]),
  };
  globalThis.location = new URL(globalThis.document.baseURI);
  try {
    await body();
  } finally {
    delete globalThis.document;
    delete globalThis.location;
  }
}

test('csrf finds the token where frameworks leave it', async () => {
  for (const [page, header, token] of [
    [{ metas: { 'csrf-token': 'a' } }, 'x-csrf-token', 'a'],
    [{ metas: { _csrf: 'b', _csrf_header: 'X-OWN' } }, 'x-own', 'b'],
    [{ metas: { _csrf: 'b' } }, 'x-csrf-token', 'b'],
    [{ cookie: 'a=b; XSRF-TOKEN=c%3D; d=e' }, 'x-xsrf-token', 'c='],
  ]) {
    await onPage(page, () => ask(sending(whole), { csrf: true }));
    assert.equal(lastSeen().headers[header], token);
  }
  await ask(sending(whole), { csrf: { header: 'X-Mine', token: 'd' } });
  assert.equal(lastSeen().headers['x-mine'], 'd');
});

test('csrf says so when there is no token, and gives none to another server', async () => {
  const before = server.seen.length;
  assert.match((await failure(ask(sending(whole), { csrf: true }))).message, /finds no <meta name="csrf-token">/);
  await onPage({ metas: { 'csrf-token': 'a' } }, async () => {
    assert.match((await failure(ask(sending(whole), { csrf: true, url: 'https://other.example/c' }))).message, /another one gets no token/);
  });
  assert.equal(server.seen.length, before, 'nothing was sent');
});

// --- what comes back ---

test('awaiting it gives the whole', async () => {
  const tool = { id: 't1', name: 'get_weather', input: { city: 'Lyon' } };
  assert.deepEqual(await ask(sending([start, text('Hel'), text('lo'), event('tool', tool), usage(), done])), {
    id: 'msg_1',
    model: 'claude-sonnet-5-5',
    text: 'Hello',
    tools: [tool],
    usage: { inputTokens: 14, outputTokens: 12, cacheReadTokens: 3, cacheWriteTokens: 2, costUsd: 0.000153 },
    stopReason: 'end_turn',
    requestId: 'req_head',
  });
});

test('callbacks come in the order of the stream, and nobody has to await it', async () => {
  const calls = [];
  const call = (name) => (value) => calls.push([name, value]);
  const tool = { id: 't1', name: 'n', input: {} };
  const answered = await new Promise((resolve, reject) => {
    ask(sending([start, event('thinking', { text: 'Hm' }), text('Hi'), event('tool', tool), usage(), done]), {
      onStart: call('start'),
      onThinking: call('thinking'),
      onText: call('text'),
      onTool: call('tool'),
      onUsage: call('usage'),
      onDone: resolve,
      onError: reject,
    });
  });
  assert.equal(answered.text, 'Hi');
  assert.deepEqual(calls.map(([name]) => name), ['start', 'thinking', 'text', 'tool', 'usage']);
  assert.deepEqual(calls.slice(0, 4).map(([, value]) => value), [{ id: 'msg_1', model: 'claude-sonnet-5-5' }, 'Hm', 'Hi', tool]);
});

test('text is told when it arrives, not at the end', async () => {
  let goOn;
  const reading = ask(
    async (_, response) => {
      response.writeHead(200, streamHead);
      response.write(start + text('first'));
      await new Promise((resolve) => (goOn = resolve));
      response.end(text('second') + done);
    },
    { onText: () => goOn() },
  );
  assert.equal((await reading).text, 'firstsecond');
});

test('a loop gets the events, and the whole can be awaited after it', async () => {
  const reading = ask(sending(whole));
  const types = [];
  for await (const { type } of reading) types.push(type);
  assert.deepEqual(types, ['start', 'text', 'text', 'usage', 'done']);
  assert.equal((await reading).text, 'Grüße aus Köln! 👋');
});

test('a loop that comes too late, or a second one, is told so', async () => {
  const reading = ask(sending(whole));
  await reading;
  assert.throws(() => reading[Symbol.asyncIterator](), /right where stream\(\) is called/);
});

test('a loop that is slow holds the answer back', async () => {
  let pulled = 0;
  const endless = async () =>
    new Response(new ReadableStream({ pull: (to) => (pulled++, to.enqueue(bytes(text('x')))) }, { highWaterMark: 0 }), { headers: streamHead });
  let taken = 0;
  for await (const _ of stream({ url: '/a', body: {}, fetch: endless })) {
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(pulled <= ++taken + 1, `${pulled} pulled, ${taken} taken`);
    if (taken === 20) break;
  }
});

test('a callback that returns a promise is waited for', async () => {
  const order = [];
  await ask(sending([text('a') + text('b') + done]), {
    onText: async (words) => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(words);
    },
    onDone: () => order.push('done'),
  });
  assert.deepEqual(order, ['a', 'b', 'done']);
});

test('format text', async () => {
  const answered = await ask(sending(['Grüße ', 'aus Köln'], { ...streamHead, 'content-type': 'text/plain; charset=utf-8' }), { format: 'text' });
  assert.deepEqual([answered.text, answered.stopReason, answered.usage, answered.id], ['Grüße aus Köln', null, null, null]);
});

test("a preset may answer with Claude's own events", async () => {
  const answered = await ask(
    sending([
      claude({ type: 'message_start', message: { id: 'm', model: 'c', usage: { input_tokens: 1 } } }),
      claude({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      claude({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } }),
      claude({ type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 2 } }),
      claude({ type: 'message_stop' }),
    ]),
    { format: null },
  );
  assert.deepEqual([answered.text, answered.stopReason, answered.usage.outputTokens, answered.usage.costUsd], ['Hi', 'max_tokens', 2, null]);
});

// --- how it ends otherwise ---

test('an abort closes the connection and gives what fetch gives', async () => {
  const controller = new AbortController();
  const told = [];
  const reading = ask(stalling([start, text('Half')]), {
    signal: controller.signal,
    onText: () => controller.abort(),
    onError: (error) => told.push(error),
  });
  const error = await failure(reading);
  assert.equal(error.name, 'AbortError');
  assert.equal(error instanceof HeadraceError, false);
  assert.deepEqual(told, [error]);
  await lastSeen().gone();
});

test('an abort before the head, before the request, and with a reason of its own', async () => {
  const controller = new AbortController();
  const before = server.seen.length;
  const reading = ask(() => controller.abort(), { signal: controller.signal });
  assert.equal((await failure(reading)).name, 'AbortError');
  await lastSeen().gone();
  assert.equal(server.seen.length, before + 1);
  assert.equal((await failure(ask(sending(whole), { signal: AbortSignal.abort() }))).name, 'AbortError');
  assert.equal(server.seen.length, before + 1, 'nothing was sent');
  assert.equal((await failure(ask(stalling([start]), { signal: AbortSignal.timeout(50) }))).name, 'TimeoutError');
  await lastSeen().gone();
  assert.equal(await failure(ask(stalling([start]), { signal: AbortSignal.abort('enough') })), 'enough');
});

test('after an abort nothing is told, not even what has arrived with it', async () => {
  const controller = new AbortController();
  const told = [];
  const reading = ask(sending([text('a') + text('b') + done]), {
    signal: controller.signal,
    onText: (words) => {
      told.push(words);
      controller.abort();
    },
    onDone: () => told.push('done'),
  });
  assert.equal((await failure(reading)).name, 'AbortError');
  assert.deepEqual(told, ['a']);
});

test('an abort also ends a fetch that does not know the signal', async () => {
  const controller = new AbortController();
  let cancelled = false;
  const fetch = async () =>
    new Response(new ReadableStream({ start: (to) => to.enqueue(bytes(text('a'))), cancel: () => (cancelled = true) }), { headers: streamHead });
  const reading = stream({ url: '/a', body: {}, fetch, signal: controller.signal, onText: () => setImmediate(() => controller.abort()) });
  assert.equal((await failure(reading)).name, 'AbortError');
  assert.ok(cancelled);
});

test('a page that does not end is no answer, and neither read to its end nor kept', { timeout: 10_000 }, async () => {
  for (const [status, type] of [[200, 'unexpected_response'], [502, 'api_error']]) {
    let cancelled = false;
    let given = 0;
    const endless = new ReadableStream({
      pull(controller) {
        given += 8192;
        controller.enqueue(new TextEncoder().encode('<p>still here'.padEnd(8192)));
      },
      cancel() {
        cancelled = true;
      },
    });
    const fetch = async () => new Response(endless, { status, headers: { 'content-type': 'text/html' } });
    const error = await failure(stream({ url: '/a', body: {}, fetch }));
    assert.equal(error.type, type);
    assert.equal(error.body.length, 4096);
    assert.ok(cancelled && given < 200_000, `${given} read`);
  }
});

test('an error whose body the fetch has read already is an error all the same', async () => {
  const fetch = async () => {
    const response = new Response('{"error":{"type":"rate_limit_error","message":"Slowly"}}', { status: 429, headers: { 'retry-after': '3' } });
    await response.text();
    return response;
  };
  const error = await failure(stream({ url: '/a', body: {}, fetch }));
  assert.deepEqual([error.name, error.status, error.type, error.retryAfterMs], ['HeadraceError', 429, 'rate_limit_error', 3000]);
});

test('an abort ends the reading of what is no answer, too', { timeout: 10_000 }, async () => {
  const controller = new AbortController();
  const silent = new ReadableStream({ pull: () => new Promise(() => {}) });
  const fetch = async () => new Response(silent, { status: 500, headers: { 'content-type': 'application/json' } });
  const reading = stream({ url: '/a', body: {}, fetch, signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  assert.equal((await failure(reading)).name, 'AbortError');
});

test('an abort before the head ends a fetch that does not know the signal, and closes what it brings later', async () => {
  const controller = new AbortController();
  let answers;
  const fetch = () => new Promise((resolve) => (answers = resolve));
  const reading = stream({ url: '/a', body: {}, fetch, signal: controller.signal });
  const failed = failure(reading);
  await seenInTime(() => answers);
  controller.abort();
  assert.equal((await failed).name, 'AbortError');
  const cancelled = new Promise((cancel) => answers(new Response(new ReadableStream({ cancel }), { headers: streamHead })));
  assert.equal((await cancelled).name, 'AbortError');
});

test('an abort after the end changes nothing', async () => {
  const controller = new AbortController();
  const reading = ask(sending(whole), { signal: controller.signal });
  await reading;
  controller.abort();
  assert.equal((await reading).stopReason, 'end_turn');
});

test('leaving a loop closes the connection', async () => {
  const reading = ask(stalling([start, text('a'), text('b')]));
  for await (const { type } of reading) if (type === 'text') break;
  await lastSeen().gone();
  assert.equal((await failure(reading)).name, 'AbortError');
});

test('an iterator that is returned while it waits closes the connection', async () => {
  const events = ask(stalling([start]))[Symbol.asyncIterator]();
  await events.next();
  const next = events.next();
  next.catch(() => {});
  await events.return();
  await lastSeen().gone();
  assert.equal((await failure(next)).name, 'AbortError');
});

test('a loop that is left at the end leaves a whole answer', async () => {
  const reading = ask(sending(whole));
  for await (const { type } of reading) if (type === 'done') break;
  assert.equal((await reading).text, 'Grüße aus Köln! 👋');
});

test('a callback that throws cancels the answer, which fails with what it threw', async () => {
  for (const name of ['onStart', 'onText', 'onThinking', 'onTool', 'onUsage']) {
    const thrown = new Error(`from ${name}`);
    const pieces = [start, text('a'), event('thinking', { text: 'b' }), event('tool', { id: 't', name: 'n', input: {} }), usage()];
    const told = [];
    const callback = name === 'onText' ? async () => Promise.reject(thrown) : () => { throw thrown; };
    assert.equal(await failure(ask(stalling(pieces), { [name]: callback, onError: (error) => void told.push(error) })), thrown);
    assert.deepEqual(told, [thrown]);
    await lastSeen().gone();
  }
});

test('what onDone or onError throw is what the answer fails with', async () => {
  const thrown = new Error('mine');
  const fails = () => {
    throw thrown;
  };
  assert.equal(await failure(ask(sending(whole), { onDone: fails, onError: () => assert.fail('one of both') })), thrown);
  assert.equal(await failure(ask(sending([start]), { onError: fails })), thrown);
});

test('an error that nobody asks for is an unhandled rejection; with onError it is none', async () => {
  const unhandled = [];
  const listener = (error) => unhandled.push(error.type);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', listener);
  try {
    await new Promise((resolve) => void ask(sending([text('a')]), { onError: () => setTimeout(resolve, 20) }));
    for await (const _ of ask(sending([done])));
    const loop = async () => {
      for await (const _ of ask(sending([text('b')])));
    };
    assert.equal((await failure(loop())).type, 'stream_cut');
    assert.deepEqual(unhandled, []);
    ask(sending([text('a')]), { onText: () => {} });
    await seenInTime(() => unhandled.length > 0);
    assert.deepEqual(unhandled, ['stream_cut']);
  } finally {
    process.removeListener('unhandledRejection', listener);
    for (const other of others) process.on('unhandledRejection', other);
  }
});

test('a stream that ends without an end is cut, with the text so far', async () => {
  for (const pieces of [[], [start], [start, text('Half')], [start, text('Half'), usage()]]) {
    const error = await failure(ask(sending(pieces)));
    assert.ok(error instanceof HeadraceError && error instanceof Error);
    assert.deepEqual(
      [error.name, error.type, error.status, error.requestId, error.retryable, error.retryAfterMs, error.partial],
      ['HeadraceError', 'stream_cut', 200, 'req_head', true, null, pieces.length > 1 ? 'Half' : ''],
    );
  }
  const begun =
    claude({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) +
    claude({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Half' } });
  assert.equal((await failure(ask(sending([begun])))).partial, 'Half');
});

test('a connection that breaks is a network error, in plain text as well', async () => {
  const breaking = (piece, type) => (_, response) => {
    response.writeHead(200, { ...streamHead, 'content-type': type });
    response.write(piece, () => response.destroy());
  };
  for (const [piece, type] of [
    [text('Half'), 'text/event-stream'],
    ['Half', 'text/plain'],
  ]) {
    const error = await failure(ask(breaking(piece, type)));
    assert.deepEqual([error.type, error.status, error.retryable, error.partial], ['network_error', 200, true, 'Half']);
    assert.ok(error.cause);
  }
});

test('a connection that breaks after the end took nothing away', async () => {
  const answered = await ask((_, response) => {
    response.writeHead(200, streamHead);
    response.write(whole.join(''), () => response.destroy());
  });
  assert.equal(answered.stopReason, 'end_turn');
});

test('no server at all', async () => {
  const gone = await gateway(() => {});
  await gone.close();
  const error = await failure(stream({ url: `${gone.origin}/c`, body: {} }));
  assert.deepEqual([error.type, error.status, error.retryable, error.requestId], ['network_error', null, true, null]);
});

test('an error event, in both of its shapes', async () => {
  const simple = event('error', { type: 'overloaded_error', message: 'Overloaded', request_id: 'req_e', retryable: true });
  const own = (type) => claude({ type: 'error', error: { details: null, type, message: 'Overloaded' }, request_id: 'req_c' });
  const short = claude({ type: 'error', error: { type: 'api_error', message: 'Oh' } });
  for (const [pieces, expected] of [
    [[start, text('Half'), simple], ['overloaded_error', 'Overloaded', 'req_e', true, 'Half', 200]],
    [[simple], ['overloaded_error', 'Overloaded', 'req_e', true, '', 200]],
    [[event('error', { type: 'overloaded_error', message: 'no', request_id: null, retryable: false })], ['overloaded_error', 'no', 'req_head', false, '', 200]],
    [[text('Half') + own('overloaded_error') + text('late')], ['overloaded_error', 'Overloaded', 'req_c', true, 'Half', 200]],
    [[own('invalid_request_error')], ['invalid_request_error', 'Overloaded', 'req_c', false, '', 200]],
    [[short], ['api_error', 'Oh', 'req_head', true, '', 200]],
  ]) {
    const { type, message, requestId, retryable, partial, status } = await failure(ask(sending(pieces)));
    assert.deepEqual([type, message, requestId, retryable, partial, status], expected);
  }
});

const apiError = (type, more = {}) => JSON.stringify({ type: 'error', error: { type, message: 'the words', ...more }, request_id: 'req_b' });
const json = { 'content-type': 'application/json' };

for (const [status, type, retryable] of [
  [400, 'invalid_request_error', false],
  [401, 'authentication_error', false],
  [402, 'billing_error', false],
  [403, 'permission_error', false],
  [404, 'not_found_error', false],
  [408, 'invalid_request_error', true],
  [409, 'conflict_error', true],
  [413, 'request_too_large', false],
  [418, 'teapot_error', false],
  [429, 'rate_limit_error', true],
  [500, 'api_error', true],
  [503, 'overloaded_error', true],
  [504, 'timeout_error', true],
  [529, 'overloaded_error', true],
]) {
  test(`status ${status} ${type}`, async () => {
    const error = await failure(ask(sending([apiError(type)], json, status)));
    assert.deepEqual(
      [error.status, error.type, error.message, error.requestId, error.retryable, error.body],
      [status, type, 'the words', 'req_b', retryable, null],
    );
  });
}

test('retry times in milliseconds, seconds or as a date', async () => {
  const after = async (headers) => (await failure(ask(sending([apiError('rate_limit_error')], { ...json, ...headers }, 429)))).retryAfterMs;
  assert.equal(await after({ 'retry-after': '7' }), 7000);
  assert.equal(await after({ 'retry-after': '0' }), 0);
  assert.equal(await after({ 'retry-after': '1.5' }), 1500);
  assert.equal(await after({ 'retry-after-ms': '250.5', 'retry-after': '7' }), 251);
  assert.equal(await after({ 'retry-after-ms': 'x', 'retry-after': '7' }), 7000);
  const inAMinute = await after({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
  assert.ok(inAMinute > 50_000 && inAMinute <= 60_000, `${inAMinute}`);
  assert.equal(await after({ 'retry-after': 'Sun, 22 Nov 2020 09:00:00 GMT' }), 0);
  for (const broken of ['soon', '-3', '']) assert.equal(await after({ 'retry-after': broken }), null, broken);
  assert.equal(await after({}), null);
});

test('a limit of spending is not worth another try, unless the server says when', async () => {
  const of = async (body, headers = {}) => (await failure(ask(sending([body], { ...json, ...headers }, 429)))).retryable;
  assert.equal(await of(apiError('rate_limit_error', { details: { error_code: 'enforced_spend_limit_reached' } })), false);
  assert.equal(await of(apiError('rate_limit_error', { details: { error_code: 'ramp_limit_exceeded' } }), { 'retry-after': '3' }), true);
  assert.equal(await of(apiError('billing_error')), false);
  assert.equal(await of(apiError('billing_error'), { 'retry-after': '3600', 'x-should-retry': 'false' }), true);
});

test('what the gateway has repeated already, a person may still try again', async () => {
  assert.equal((await failure(ask(sending([apiError('overloaded_error')], { ...json, 'x-should-retry': 'false' }, 529)))).retryable, true);
});

test("errors that are not in the API's shape", async () => {
  const edge = await failure(ask(sending([JSON.stringify({ error: { type: 'request_too_large', message: 'Too large' } })], json, 413)));
  assert.deepEqual([edge.type, edge.message], ['request_too_large', 'Too large']);
  for (const [body, status, type] of [
    ['', 502, 'api_error'],
    ['[]', 500, 'api_error'],
    ['null', 404, 'not_found_error'],
    ['{"error":"no"}', 529, 'overloaded_error'],
  ]) {
    const error = await failure(ask(sending([body], { ...json, 'headrace-exchange-id': '7f3a' }, status)));
    assert.deepEqual([error.type, error.message, error.body, error.requestId], [type, `The server gave no reason (HTTP ${status})`, body, '7f3a']);
  }
});

test('web pages in place of an error', async () => {
  const html = { 'content-type': 'text/html;charset=UTF-8' };
  const busy = await failure(ask(sending([`<h1>503</h1>${'x'.repeat(9000)}`], html, 503)));
  assert.deepEqual([busy.type, busy.message, busy.retryable], ['api_error', 'The server answered with a web page (HTTP 503)', true]);
  assert.equal(busy.body.length, 4096);
  const expired = await failure(ask(sending(['<form>'], html, 403)));
  assert.deepEqual([expired.type, expired.message, expired.retryable], ['permission_error', 'The server answered with a web page; is the login expired? (HTTP 403)', false]);
});

test('a login page with status 200 is no answer, also behind a redirect', async () => {
  const page = sending(['<form>Please sign in</form>'], { 'content-type': 'text/html' });
  const direct = await failure(ask(page));
  assert.deepEqual(
    [direct.type, direct.status, direct.message, direct.body, direct.retryable],
    ['unexpected_response', 200, 'The server answered with a web page; is the login expired?', '<form>Please sign in</form>', false],
  );
  const redirected = await failure(
    ask((request, response) => {
      if (request.url.startsWith('/login')) return page(request, response);
      return response.writeHead(302, { location: '/login?token=secret' }).end();
    }),
  );
  assert.match(redirected.message, /is the login expired\? \(redirected to \/login\)$/);
});

test('plain text is an answer only if it is from the gateway', async () => {
  const expired = await failure(ask(sending(['Session expired'], { 'content-type': 'text/plain' }), { format: 'text' }));
  assert.deepEqual(
    [expired.type, expired.message, expired.body],
    ['unexpected_response', 'The server answered with text/plain instead of a stream', 'Session expired'],
  );
  const hidden = new Response('Hello', { headers: { 'content-type': 'text/plain' } });
  Object.defineProperty(hidden, 'type', { value: 'cors' }); // what its server does not expose is not seen
  assert.equal((await stream({ url: '/a', body: {}, format: 'text', fetch: async () => hidden })).text, 'Hello');
  const head = { 'content-type': 'text/plain', 'headrace-exchange-id': 'x1' };
  assert.equal((await ask(sending(['Hello'], head), { format: 'text' })).text, 'Hello');
});

test('any other content is no answer', async () => {
  const error = await failure(ask(sending(['{}'], json)));
  assert.deepEqual([error.type, error.message], ['unexpected_response', 'The server answered with application/json instead of a stream']);
  assert.match((await failure(ask(sending([], {}, 204)))).message, /no content type instead of a stream/);
});

test('nothing is ever asked twice', async () => {
  for (const how of [sending([], json, 529), sending([start]), (_, response) => response.destroy()]) {
    const before = server.seen.length;
    await failure(ask(how));
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(server.seen.length, before + 1);
  }
});

test('scripts that are no modules find it, too', () => {
  assert.equal(globalThis.headrace.stream, stream);
  assert.equal(globalThis.headrace.HeadraceError, HeadraceError);
});
