import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costOf, statsOf, statsRow } from '../../main/resources/dev/headrace/demo/page/stats.js';
import { duration } from '../../main/resources/dev/headrace/demo/page/problems.js';
import { answerOf, finished, messageDelta, messageStart, messageStop, textBlock } from './events.js';

const opus = { input: 4, cacheWrite5m: 5, cacheWrite1h: 8, cacheRead: 0.2, output: 20 };

test('the worked example of the price table', () => {
  const usage = {
    input_tokens: 61,
    cache_creation_input_tokens: 1500,
    cache_creation: { ephemeral_5m_input_tokens: 500, ephemeral_1h_input_tokens: 1000 },
    cache_read_input_tokens: 8200,
    output_tokens: 58,
    inference_geo: 'us',
  };
  assert.equal(costOf(usage, opus).toFixed(7), '0.0148984');
  assert.equal(costOf({ ...usage, inference_geo: 'global' }, opus).toFixed(6), '0.013544');
  assert.equal(costOf({ ...usage, inference_geo: 'global', speed: 'fast' }, opus).toFixed(6), '0.027088');
});

test('a cost that cannot be known is null, not zero', () => {
  assert.equal(costOf({ input_tokens: 1, output_tokens: 1 }, null), null);
  assert.equal(costOf({ input_tokens: 1, output_tokens: 1 }, { input: 1 }), null);
  assert.equal(costOf({ input_tokens: 1, output_tokens: 1, service_tier: 'priority' }, opus), null);
  assert.equal(costOf({ input_tokens: 1, output_tokens: 1, iterations: [] }, opus), null);
  const stopped = answerOf(messageStart(), textBlock(0, 'Half'));
  assert.equal(statsOf(stopped, [{ id: 'claude-sonnet-5-5', price: opus }]).costUsd, null);
  const refused = answerOf(messageStart(), messageDelta('refusal', { output_tokens: 3 }), messageStop);
  assert.equal(statsOf(refused, [{ id: 'claude-sonnet-5-5', price: opus }]).costUsd, null, 'not billed');
});

test('web searches cost extra, and a dated model finds its price', () => {
  assert.equal(costOf({ output_tokens: 0, server_tool_use: { web_search_requests: 2 } }, opus), 0.02);
  const answer = finished('a');
  answer.model = 'claude-x-20260101';
  assert.notEqual(statsOf(answer, [{ id: 'claude-x', price: opus }]).costUsd, null);
  assert.equal(statsOf(answer, [{ id: 'claude', price: opus }]).costUsd, null, 'never by prefix');
});

test('times and speed', () => {
  const stats = statsOf(finished('abc')); // events are 100 ms apart, the first block came at 200 ms
  assert.equal(stats.firstTokenSeconds, 0.3);
  assert.equal(stats.tokensPerSecond, 12 / 0.4);
  assert.deepEqual(statsRow(stats).map(({ value, unit }) => `${value} ${unit}`), ['0.30 s to first token', '30 tokens/s', '28 in', '12 out']);
});

test('nothing known, nothing shown', () => {
  assert.deepEqual(statsRow(statsOf(answerOf())), []);
});

test('input counts the cached part', () => {
  const stats = statsOf(answerOf(messageStart({ input_tokens: 10, cache_read_input_tokens: 90, cache_creation_input_tokens: 5 })));
  assert.equal(stats.inputTokens, 105);
  assert.match(statsRow(stats)[0].hint, /90 of them from the cache/);
});

test('durations are read by people', () => {
  assert.deepEqual([0, 59, 60, 65, 7800].map(duration), ['0 s', '59 s', '1 min', '1 min 5 s', '2 h 10 min']);
});
