// The retries of the official TypeScript SDK and those of the gateway, both with their defaults:
// together they never send more than retry.max-attempts. Started by TypeScriptSdkTest; the faults
// are those of RepeatedFault.java. Each test has a gateway and a simulator of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';

const env = (name) => process.env[name] ?? assert.fail(`${name} is not set: see TypeScriptSdkTest`);
const CONTROL = env('HEADRACE_CONTROL_URL');
const API_KEY = env('HEADRACE_SIMULATOR_KEY');
const FAULTS = env('HEADRACE_FAULTS')
  .trim()
  .split('\n')
  .map((line) => {
    const [name, asked, status, type, hasRequestId] = line.split(' ');
    return {
      name,
      asked,
      status: Number(status),
      type: type === 'none' ? null : type,
      hasRequestId: hasRequestId === 'true',
    };
  });

const MAX_ATTEMPTS = 3; // the default of retry.max-attempts
const CLIENT_KEY = 'sk-of-the-application-not-for-the-api';
const PARAMS = {
  model: 'claude-sonnet-5-5',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello?' }],
};
const ERRORS = {
  408: Anthropic.RequestTimeoutError,
  429: Anthropic.RateLimitError,
  500: Anthropic.InternalServerError,
  502: Anthropic.InternalServerError,
  503: Anthropic.ServiceUnavailableError,
  504: Anthropic.GatewayTimeoutError,
  529: Anthropic.OverloadedError,
};
const BOTH = ['STREAM', 'JSON'];

// ---- Helpers ------------------------------------------------------------------------------------

async function control(method, pathAndQuery) {
  const response = await fetch(CONTROL + pathAndQuery, { method });
  const json = await response.json();
  assert.equal(response.status, 200, json.problem);
  return json;
}

const seen = () => control('GET', '/seen');

/**
 * A new gateway, and the SDK as its client with the default of two retries. Counts the requests of
 * the SDK, and lets it not sleep for longer than a test should take.
 */
async function fresh(fault = '') {
  const { gateway, simulator } = await control('POST', `/fresh${fault && '?' + fault}`);
  const sent = [];
  const countingFetch = async (url, init) => {
    const response = await fetch(url, init);
    const headers = new Headers(response.headers);
    sent.push({ status: response.status, headers: response.headers });
    headers.set('retry-after-ms', '1'); // the SDK believes it before any other
    return new Response(response.body, { status: response.status, headers });
  };
  return {
    sent,
    client: new Anthropic({ baseURL: gateway, apiKey: CLIENT_KEY, fetch: countingFetch }),
    direct: new Anthropic({ baseURL: simulator, apiKey: API_KEY, maxRetries: 0 }),
  };
}

const ask = (client, asked) =>
  asked === 'STREAM'
    ? client.messages.stream(PARAMS).finalMessage()
    : client.messages.create(PARAMS);

const withoutId = ({ id, ...message }) => {
  assert.match(id, /^msg_/);
  return structuredClone(message);
};

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

/** The SDK has sent one request, and everything that it took is given back. */
async function assertAskedOnce(sent) {
  assert.equal(sent.length, 1);
  const deadline = Date.now() + 5000;
  for (;;) {
    const now = await seen();
    if (now.exchanges === 1 && now.permitsInUse === 0 && now.upstreamConnectionsInUse === 0) {
      return;
    }
    assert.ok(Date.now() < deadline, JSON.stringify(now));
    await sleep(10);
  }
}

// ---- Faults that the gateway repeats ------------------------------------------------------------

for (const fault of FAULTS) {
  const reached = fault.name !== 'CONNECTION_REFUSED';

  test(`${fault.name} without end costs three attempts and is one typed error: ${fault.asked}`, async () => {
    const { client, sent } = await fresh(fault.name);
    await control('POST', `/fault?${fault.name}`);

    const e = await failure(ERRORS[fault.status], () => ask(client, fault.asked));

    assert.equal(e.status, fault.status);
    assert.equal(e.type ?? null, fault.type);
    assert.equal(e.headers.get('x-should-retry'), 'false');
    const { requests, attempts } = await seen();
    assert.equal(attempts, MAX_ATTEMPTS);
    assert.equal(requests.length, reached ? MAX_ATTEMPTS : 0);
    assert.equal(e.requestID ?? null, fault.hasRequestId ? requests.at(-1).requestId : null);
    await assertAskedOnce(sent);
  });

  test(`${fault.name} in two attempts is not seen behind the gateway: ${fault.asked}`, async () => {
    const { client, direct, sent } = await fresh(fault.name);
    await control('POST', '/always?thinking');
    const expected = await ask(direct, fault.asked);
    await control('POST', `/fault?${fault.name}&${MAX_ATTEMPTS - 1}`);

    const message = await ask(client, fault.asked);

    assert.deepEqual(withoutId(message), withoutId(expected));
    const { requests, attempts } = await seen();
    assert.equal(attempts, MAX_ATTEMPTS);
    assert.equal(requests.length - 1, reached ? MAX_ATTEMPTS : 1);
    await assertAskedOnce(sent);
  });
}

// ---- Faults that nobody repeats -----------------------------------------------------------------

for (const asked of BOTH) {
  for (const [answer, errorClass] of [
    ['spend-limit', Anthropic.EnforcedSpendLimitReachedError],
    ['status-429-after-1h', Anthropic.RateLimitError],
    ['status-529-no-retry', Anthropic.OverloadedError],
  ]) {
    test(`${answer} is asked once by both together: ${asked}`, async () => {
      const { client, sent } = await fresh();
      await control('POST', `/always?${answer}`);

      const e = await failure(errorClass, () => ask(client, asked));

      assert.equal(e.headers.get('x-should-retry'), 'false');
      assert.equal((await seen()).requests.length, 1);
      await assertAskedOnce(sent);
    });
  }

  test(`an open circuit breaker is not asked again and reaches no upstream: ${asked}`, async () => {
    const { client, sent } = await fresh();
    await control('POST', '/fault?STATUS_529');
    for (let call = 0; call < 7; call++) {
      // 20 failures open it, in the middle of the seventh
      await failure(Anthropic.OverloadedError, () => ask(client, asked));
    }
    assert.equal((await seen()).requests.length, 20);

    const e = await failure(Anthropic.OverloadedError, () => ask(client, asked));

    assert.match(e.apiMessage, /\(breaker\.\*\)/);
    assert.equal(e.headers.get('x-should-retry'), 'false');
    assert.match(sent.at(-1).headers.get('retry-after'), /^\d+$/);
    assert.equal((await seen()).requests.length, 20);
    assert.equal(sent.length, 8);
  });
}

// ---- What is left to the SDK --------------------------------------------------------------------

for (const asked of BOTH) {
  test(`a draining gateway may be asked again and asks no upstream: ${asked}`, async () => {
    const { client, sent } = await fresh();
    await control('POST', '/drain');

    const e = await failure(Anthropic.ServiceUnavailableError, () => ask(client, asked));

    assert.match(e.apiMessage, /shutting down/);
    assert.equal(sent.length, 3); // two retries of the SDK
    for (const { headers } of sent) {
      assert.equal(headers.get('retry-after'), '5');
      assert.equal(headers.get('x-should-retry'), null);
    }
    const { requests, attempts } = await seen();
    assert.equal(requests.length, 0);
    assert.equal(attempts, 0);
  });
}
