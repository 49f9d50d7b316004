import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textOf } from '../../main/resources/dev/headrace/demo/page/answer.js';
import { answerOf, done, start, text, thinking, tool, usage } from './events.js';

test('text grows in one block', () => {
  const answer = answerOf(start, text('Grüße'), text(' 👋'), usage(), done());
  assert.deepEqual([answer.id, answer.model, answer.stopReason], ['msg_1', 'claude-sonnet-5-5', 'end_turn']);
  assert.equal(textOf(answer), 'Grüße 👋');
  assert.equal(answer.blocks.length, 1);
  assert.equal(answer.blocks[0].version, 3, 'two pieces and the end');
  assert.deepEqual([answer.begunAt, answer.firstTokenAt, answer.lastEventAt], [100, 200, 500]);
  assert.equal(answer.usage.outputTokens, 12);
});

test('thinking, text and tools stand in their order, and thinking ends when something else begins', () => {
  const answer = answerOf(start, thinking('H'), thinking('m'), text('A'), tool(), text('B'));
  assert.deepEqual(answer.blocks.map(({ kind, done: over }) => [kind, over]), [['thinking', true], ['text', true], ['tool', true], ['text', false]]);
  assert.equal(answer.blocks[0].text, 'Hm');
  assert.equal(answer.blocks[0].endedAt - answer.blocks[0].startedAt, 200);
  assert.equal(textOf(answer), 'AB', 'thinking is no part of the answer');
});

test('a tool comes whole, or with what could not be read', () => {
  assert.deepEqual(answerOf(tool()).blocks[0].input, { location: 'Lyon' });
  const broken = answerOf(tool({ inputText: '{"a": ' })).blocks[0];
  assert.deepEqual([broken.input, broken.inputText], [undefined, '{"a": ']);
});

test('an answer that ends leaves no block open, one that breaks does', () => {
  assert.equal(answerOf(start, thinking('Hm'), done()).blocks[0].done, true);
  assert.equal(answerOf(start, thinking('Hm')).blocks[0].done, false);
});

test('what is not known is skipped', () => {
  const answer = answerOf(start, { type: 'weather_report' }, text('a'), done());
  assert.equal(textOf(answer), 'a');
});

test('a model that has taken over is the one that is shown', () => {
  assert.equal(answerOf(start, text('a'), { ...done(), model: 'claude-haiku-5' }).model, 'claude-haiku-5');
});
