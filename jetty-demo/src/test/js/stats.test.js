import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statsOf, statsRow } from '../../main/resources/dev/headrace/demo/page/stats.js';
import { duration } from '../../main/resources/dev/headrace/demo/page/problems.js';
import { answerOf, finished, start, text, usage } from './events.js';

const cost = (costUsd, simulated) => statsRow(statsOf(answerOf(usage({ costUsd }))), simulated).at(-1);

test('the cost is what the gateway says, and unknown is not nothing', () => {
  assert.equal(cost(0.0148984).value, '$0.015');
  assert.equal(cost(0.000153).value, '$0.00015');
  assert.equal(cost(1.5).value, '$1.50');
  assert.equal(cost(0).value, '$0');
  assert.equal(cost(0.5, true).unit, 'if it were real');
  assert.deepEqual([cost(null).value, cost(null).unit], ['unknown', 'cost']);
  assert.equal(cost(null, true).unit, 'cost');
});

test('times and speed', () => {
  const stats = statsOf(finished('abc')); // events are 100 ms apart, the first came at 100 ms
  assert.equal(stats.firstTokenSeconds, 0.2);
  assert.equal(stats.tokensPerSecond, 12 / 0.3);
  assert.deepEqual(statsRow(stats).map(({ value, unit }) => `${value} ${unit}`), ['0.20 s to first token', '40 tokens/s', '28 in', '12 out', '$0.0002 ']);
});

test('nothing known, nothing shown', () => {
  assert.deepEqual(statsRow(statsOf(answerOf())), []);
  assert.deepEqual(statsRow(statsOf(answerOf(start, text('Half')))).map(({ unit }) => unit), ['to first token']);
  assert.deepEqual(statsRow(statsOf(answerOf(usage({ inputTokens: null, outputTokens: null, costUsd: null })))).map(({ value }) => value), ['unknown']);
});

test('input counts the cached part', () => {
  const stats = statsOf(answerOf(usage({ inputTokens: 10, cacheReadTokens: 90, cacheWriteTokens: 5 })));
  assert.equal(stats.inputTokens, 105);
  assert.match(statsRow(stats)[0].hint, /90 of them from the cache/);
});

test('durations are read by people', () => {
  assert.deepEqual([0, 59, 60, 65, 7800].map(duration), ['0 s', '59 s', '1 min', '1 min 5 s', '2 h 10 min']);
});
