// The official TypeScript SDK as the gateway's client. Started by TypeScriptSdkTest, which says how
// to run it and which runs gateway and simulator. Answers are scripted by name (SdkAnswers.java).
// The gateway makes one attempt here; retries.test.mjs is about more.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';

const env = (name) => process.env[name] ?? assert.fail(`${name} is not set: see TypeScriptSdkTest`);
const GATEWAY = env('HEADRACE_BASE_URL');
const CONTROL = env('HEADRACE_CONTROL_URL');
const API_KEY = env('HEADRACE_SIMULATOR_KEY');
const MESSAGES = env('HEADRACE_MESSAGES').split(',');

const CLIENT_KEY = 'sk-of-the-application-not-for-the-api';
const PARAMS = {
  model: 'claude-sonnet-5-5',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello?' }],
};

const client = new Anthropic({ baseURL: GATEWAY, apiKey: CLIENT_KEY, maxRetries: 0 });
const retrying = new Anthropic({ baseURL: GATEWAY, apiKey: CLIENT_KEY, maxRetries: 2 });
const direct = new Anthropic({
  baseURL: env('HEADRACE_SIMULATOR_URL'),
  apiKey: API_KEY,
  maxRetries: 0,
});

// ---- Helpers ------------------------------------------------------------------------------------

async function control(method, pathAndQuery) {
  const response = await fetch(CONTROL + pathAndQuery, { method });
  const json = await response.json();
  assert.equal(response.status, 200, json.problem);
  return json;
}

const nextAnswer = (name) => control('POST', `/next?${name}`);
const seen = () => control('GET', '/seen');
const attempts = async () => (await seen()).requests.length;
const lastRequest = async () => (await seen()).requests.at(-1);

async function until(what, condition, milliseconds) {
  const deadline = Date.now() + milliseconds;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `waited ${milliseconds} ms in vain for ${what}`);
    await sleep(10);
  }
}

async function rawEvents(from, answer, into = []) {
  await nextAnswer(answer);
  for await (const event of await from.messages.create({ ...PARAMS, stream: true })) {
    into.push(event);
  }
  return into;
}

async function finalMessage(from, answer) {
  await nextAnswer(answer);
  return from.messages.stream(PARAMS).finalMessage();
}

/** All that is in it but the ids, of which each answer has its own. */
const withoutIds = (answer) =>
  JSON.parse(JSON.stringify(answer).replaceAll(/\b(msg|toolu|srvtoolu)_\w+/g, '$1'));
const text = (message) =>
  message.content.filter((block) => block.type === 'text').map((block) => block.text).join('');
const textOf = (events) => events.map((event) => event.delta?.text ?? '').join('');

/** What a call fails with, which must be an instance of exactly this class. */
async function failure(type, call) {
  try {
    await call();
  } catch (e) {
    assert.equal(e.constructor.name, type.name, e.stack);
    assert.ok(e instanceof type);
    return e;
  }
  return assert.fail(`no ${type.name}: it ended silently`);
}

beforeEach(() => control('POST', '/reset'));

afterEach(async () => {
  await until(
    'permits and connections to come back',
    async () => {
      const now = await seen();
      return now.permitsInUse === 0 && now.upstreamConnectionsInUse === 0;
    },
    5000,
  );
  for (const request of (await seen()).requests) {
    assert.ok(!JSON.stringify(request).includes(CLIENT_KEY), 'the client\'s key went upstream');
  }
});

// ---- Messages -----------------------------------------------------------------------------------

for (const answer of MESSAGES) {
  test(`streamed message is the same as without gateway: ${answer}`, async () => {
    const expected = await finalMessage(direct, answer);
    const message = await finalMessage(client, answer);
    assert.deepEqual(withoutIds(message), withoutIds(expected));

    const { headers } = await lastRequest();
    assert.deepEqual(headers['x-api-key'], [API_KEY]);
    assert.equal(headers.authorization, undefined);
    assert.equal(await attempts(), 2);
  });

  test(`raw events are the same as without gateway: ${answer}`, async () => {
    const expected = await rawEvents(direct, answer);
    const events = await rawEvents(client, answer);
    assert.equal(events[0].type, 'message_start');
    assert.equal(events.at(-1).type, 'message_stop');
    assert.deepEqual(withoutIds(events), withoutIds(expected));
  });

  test(`message that is not streamed is the same as without gateway: ${answer}`, async () => {
    await nextAnswer(answer);
    const expected = await direct.messages.create(PARAMS);
    await nextAnswer(answer);
    const message = await client.messages.create(PARAMS);
    assert.deepEqual(withoutIds(message), withoutIds(expected));
    assert.equal(message._request_id, (await lastRequest()).requestId);
  });
}

test('streamed text is whole', async () => {
  const message = await finalMessage(client, 'text');
  assert.equal(text(message), 'Grüße aus Köln! 👋');
  assert.equal(message.stop_reason, 'end_turn');
  assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 1);
});

test('streamed thinking keeps its signature', async () => {
  const message = await finalMessage(client, 'thinking');
  assert.equal(message.content[0].thinking, '84 = 36·2 + 12, 36 = 12·3, so 12.');
  assert.match(message.content[0].signature, /^EqQBCgIYAhIM/);
  assert.equal(text(message), 'The gcd is 12.');
});

test('streamed tool input is whole', async () => {
  const message = await finalMessage(client, 'tool-use');
  assert.equal(message.stop_reason, 'tool_use');
  assert.equal(message.content[1].name, 'get_weather');
  assert.deepEqual(message.content[1].input, { location: 'Lyon, FR', days: [1, 2] });
  assert.deepEqual(message.content[2].input, {});
});

test('streamed web search keeps query, results and citation', async () => {
  const message = await finalMessage(client, 'web-search');
  assert.deepEqual(message.content[0].input, { query: 'river level Cologne' });
  assert.equal(message.content[1].content[0].url, 'https://gauge.example/cologne');
  assert.equal(message.content[2].citations[0].cited_text, 'Gauge 2.41 m');
  assert.equal(text(message), 'The gauge stands at 2.41 m');
});

test('streamed refusal keeps its details', async () => {
  const message = await finalMessage(client, 'refusal');
  assert.equal(message.stop_reason, 'refusal');
  assert.equal(message.stop_details.category, 'cyber');
});

// ---- Other endpoints ----------------------------------------------------------------------------

test('tokens are counted', async () => {
  const { max_tokens, ...params } = PARAMS;
  const count = await client.messages.countTokens(params);
  assert.deepEqual(count, await direct.messages.countTokens(params));
  assert.ok(count.input_tokens > 0);
});

test('models are listed page by page', async () => {
  const ids = [];
  for await (const model of client.models.list({ limit: 5 })) {
    ids.push(model.id);
  }
  assert.ok(ids.length > 15);
  assert.equal(await attempts(), Math.ceil(ids.length / 5));
  assert.deepEqual((await direct.models.list()).data.map((model) => model.id), ids);
});

test('model is retrieved', async () => {
  const model = await client.models.retrieve('claude-opus-5-5');
  assert.deepEqual(model, await direct.models.retrieve('claude-opus-5-5'));
});

test('unknown model is not found', async () => {
  const e = await failure(Anthropic.NotFoundError, () => client.models.retrieve('claude-nope-9'));
  assert.equal(e.apiMessage, 'model: claude-nope-9');
});

// ---- Errors -------------------------------------------------------------------------------------

for (const [status, errorClass, type] of [
  [400, Anthropic.BadRequestError, 'invalid_request_error'],
  [401, Anthropic.AuthenticationError, 'authentication_error'],
  [403, Anthropic.PermissionDeniedError, 'permission_error'],
  [404, Anthropic.NotFoundError, 'not_found_error'],
  [413, Anthropic.ContentTooLargeError, 'request_too_large'],
  [429, Anthropic.RateLimitError, 'rate_limit_error'],
  [500, Anthropic.InternalServerError, 'api_error'],
  [503, Anthropic.ServiceUnavailableError, 'api_error'],
  [504, Anthropic.GatewayTimeoutError, 'timeout_error'],
  [529, Anthropic.OverloadedError, 'overloaded_error'],
]) {
  for (const stream of [true, false]) {
    test(`status ${status} is ${errorClass.name}, ${stream ? 'streaming' : 'not streaming'}`, async () => {
      await nextAnswer(`status-${status}`);
      const e = await failure(errorClass, () => client.messages.create({ ...PARAMS, stream }));
      assert.equal(e.status, status);
      assert.equal(e.type, type);
      assert.equal(e.requestID, (await lastRequest()).requestId);
      assert.equal(await attempts(), 1);
    });
  }
}

test('retry-after of a rate limit reaches the client', async () => {
  await nextAnswer('status-429-after-7s');
  const e = await failure(Anthropic.RateLimitError, () => client.messages.create(PARAMS));
  assert.equal(e.headers.get('retry-after'), '7');
  assert.equal(e.headers.get('x-should-retry'), 'true');
  assert.ok(e.headers.get('anthropic-ratelimit-requests-limit'));
});

test('a base URL with a version is explained', async () => {
  const wrong = new Anthropic({ baseURL: `${GATEWAY}/v1`, apiKey: CLIENT_KEY, maxRetries: 0 });
  const e = await failure(Anthropic.NotFoundError, () => wrong.messages.create(PARAMS));
  assert.match(e.apiMessage, /Remove \/v1/);
  assert.equal(await attempts(), 0);
});

test('an error in place of the first event is a typed error', async () => {
  await nextAnswer('error-first');
  const e = await failure(Anthropic.OverloadedError, () =>
    client.messages.create({ ...PARAMS, stream: true }),
  );
  assert.equal(e.status, 529);
  assert.equal(e.type, 'overloaded_error');
  assert.equal(e.requestID, (await lastRequest()).requestId);
  assert.equal(await attempts(), 1);
});

test('an error in mid-stream is an error of the stream', async () => {
  const events = [];
  const e = await failure(Anthropic.APIError, () => rawEvents(client, 'error-in-midstream', events));
  assert.equal(e.status, undefined);
  assert.equal(e.type, 'overloaded_error');
  assert.equal(e.requestID, (await lastRequest()).requestId);
  assert.equal(textOf(events), 'Hel');

  await failure(Anthropic.APIError, () => finalMessage(client, 'error-in-midstream'));
});

for (const answer of ['cut-in-mid-event', 'reset-in-mid-event']) {
  test(`a stream broken in mid-event throws: ${answer}`, async () => {
    const events = [];
    const e = await failure(TypeError, () => rawEvents(client, answer, events)); // fetch's own
    assert.equal(e.message, 'terminated');
    assert.equal(textOf(events), 'Hel');

    await failure(Anthropic.AnthropicError, () => finalMessage(client, answer));
  });
}

for (const answer of ['cut-between-events', 'end-without-message-stop']) {
  test(`a stream that ends between events throws: ${answer}`, async () => {
    const events = [];
    const e = await failure(Anthropic.APIError, () => rawEvents(client, answer, events));
    assert.equal(e.type, 'api_error');
    assert.match(e.apiMessage, /before.*complete/);
    assert.equal(e.requestID, (await lastRequest()).requestId);
    assert.equal(textOf(events), 'Hel');

    await failure(Anthropic.APIError, () => finalMessage(client, answer));
  });
}

test('a message cut in mid-body is a typed error', async () => {
  await nextAnswer('cut-json');
  const e = await failure(Anthropic.InternalServerError, () => client.messages.create(PARAMS));
  assert.equal(e.status, 502);
});

// ---- Retries of the SDK -------------------------------------------------------------------------

test('each retry of the SDK is one attempt upstream', async () => {
  for (let i = 0; i < 3; i++) {
    await nextAnswer('status-529-after-1ms');
  }
  await failure(Anthropic.OverloadedError, () => retrying.messages.create({ ...PARAMS, stream: true }));
  assert.equal(await attempts(), 3);
});

test('the SDK retries an error in place of the first event', async () => {
  await nextAnswer('error-first-after-1ms');
  assert.equal(text(await finalMessage(retrying, 'text')), 'Grüße aus Köln! 👋');
  assert.equal(await attempts(), 2);
});

test('nothing is retried after the first event', async () => {
  await failure(Anthropic.APIError, () => finalMessage(retrying, 'error-in-midstream'));
  assert.equal(await attempts(), 1);
});

// ---- Cancelling ---------------------------------------------------------------------------------

for (const answer of ['flowing', 'stalled']) {
  test(`a client that aborts its stream ends the upstream call: ${answer}`, async () => {
    await nextAnswer(answer);
    const stream = client.messages.stream(PARAMS);
    await new Promise((resolve) => stream.on('text', resolve));
    assert.equal((await seen()).permitsInUse, 1);

    stream.abort();

    await failure(Anthropic.APIUserAbortError, () => stream.finalMessage());
    await until('the upstream call to end', async () => (await lastRequest()).clientGone, 2000);
    await until('the permit to come back', async () => (await seen()).permitsInUse === 0, 2000);
  });

  test(`a client that breaks out of the raw events ends the upstream call: ${answer}`, async () => {
    await nextAnswer(answer);
    for await (const event of await client.messages.create({ ...PARAMS, stream: true })) {
      if (event.type === 'content_block_delta') {
        break;
      }
    }
    await until('the upstream call to end', async () => (await lastRequest()).clientGone, 2000);
    await until('the permit to come back', async () => (await seen()).permitsInUse === 0, 2000);
  });
}
