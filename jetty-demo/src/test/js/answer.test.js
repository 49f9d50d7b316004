import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksOf, groupsOf, textOf } from '../../main/resources/dev/headrace/demo/page/answer.js';
import { answerOf, delta, messageDelta, messageStart, messageStop, start, stop, text, textBlock } from './events.js';

const json = (index, part) => delta(index, { type: 'input_json_delta', partial_json: part });
const tool = (index) => start(index, { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} });
const only = (answer) => blocksOf(answer)[0];

test('text grows by its deltas and the answer ends with message_stop', () => {
  const answer = answerOf(
    messageStart(),
    start(0, { type: 'text', text: '' }),
    { type: 'ping' },
    text(0, 'Grüße'),
    text(0, ' 👋'),
    stop(0),
    messageDelta('end_turn', { output_tokens: 12 }),
  );
  assert.equal(textOf(answer), 'Grüße 👋');
  assert.equal(answer.ended, false);
  assert.equal(answer.stopReason, 'end_turn');
  assert.deepEqual(answer.usage, { input_tokens: 28, output_tokens: 12 });
  assert.equal(answer.firstBlockAt, 200);
  assert.equal(answer.firstTokenAt, 400, 'the first token, not the first block');
});

test('totals replace each other, and the placeholder at the start is no output count', () => {
  assert.equal('output_tokens' in answerOf(messageStart()).usage, false);
  const answer = answerOf(
    messageStart({ input_tokens: 2310, output_tokens: 3, cache_read_input_tokens: 7 }),
    messageDelta('end_turn', { input_tokens: 9875, output_tokens: 118, cache_read_input_tokens: null }),
  );
  assert.deepEqual(answer.usage, { input_tokens: 9875, output_tokens: 118, cache_read_input_tokens: 7 });
});

test('blocks that interleave are kept apart by their index', () => {
  const answer = answerOf(start(1, { type: 'text', text: '' }), start(0, { type: 'text', text: '' }), text(1, 'b'), text(0, 'a'));
  assert.equal(textOf(answer), 'ab');
});

test('thinking, omitted thinking and redacted thinking', () => {
  const thinking = { type: 'thinking', thinking: '', signature: '' };
  const shown = answerOf(start(0, thinking), delta(0, { type: 'thinking_delta', thinking: 'Hm' }), delta(0, { type: 'signature_delta', signature: 'x' }), stop(0));
  assert.equal(only(shown).text, 'Hm');
  assert.equal(textOf(shown), '', 'thinking is no part of the answer');
  assert.equal(only(shown).endedAt - only(shown).startedAt, 300);
  const omitted = answerOf(start(0, thinking), delta(0, { type: 'signature_delta', signature: 'x' }), stop(0));
  assert.equal(only(omitted).text, '');
  assert.equal(omitted.firstTokenAt, null);
  assert.equal(only(answerOf(start(0, { type: 'redacted_thinking', data: 'Emw' }), stop(0))).redacted, true);
});

test('the input of a tool is parsed at its end only', () => {
  const half = answerOf(tool(0), json(0, ''), json(0, '{"locati'));
  assert.equal(only(half).input, undefined);
  const whole = answerOf(tool(0), json(0, ''), json(0, '{"locati'), json(0, 'on": "Lyon"}'), stop(0));
  assert.deepEqual(only(whole).input, { location: 'Lyon' });
  assert.deepEqual(only(answerOf(tool(0), json(0, ''), stop(0))).input, {}, 'no arguments');
  const cut = answerOf(tool(0), json(0, '{"a": '), stop(0));
  assert.equal(only(cut).valid, false);
  assert.equal(only(cut).json, '{"a": ');
});

test('server tools, MCP tools and their results', () => {
  const answer = answerOf(
    start(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }),
    json(0, '{"query": "Rhine"}'),
    stop(0),
    start(1, { type: 'web_search_tool_result', content: [{ type: 'web_search_result', title: 'T', url: 'https://a.example' }] }),
    stop(1),
    start(2, { type: 'web_search_tool_result', content: { type: 'web_search_tool_result_error', error_code: 'max_uses_exceeded' } }),
    stop(2),
    start(3, { type: 'mcp_tool_use', name: 'echo', server_name: 'example', input: {} }),
    stop(3),
    start(4, { type: 'mcp_tool_result', content: [{ type: 'text', text: 'hi' }] }),
    stop(4),
  );
  const [search, results, failed, mcp, result] = blocksOf(answer);
  assert.equal(search.origin, 'server');
  assert.deepEqual(search.input, { query: 'Rhine' });
  assert.equal(results.results[0].title, 'T');
  assert.equal(failed.error, 'max_uses_exceeded');
  assert.equal(mcp.server, 'example');
  assert.equal(result.name, 'mcp');
});

test('neighbouring texts are one group, also when a citation parts them', () => {
  const answer = answerOf(
    start(0, { type: 'thinking', thinking: '' }),
    stop(0),
    textBlock(1, 'Today '),
    start(2, { type: 'text', text: '', citations: [] }),
    delta(2, { type: 'citations_delta', citation: { url: 'https://a.example', title: 'A' } }),
    text(2, 'it rains'),
    stop(2),
    textBlock(3, ''),
    tool(4),
    textBlock(5, 'Bye'),
  );
  assert.deepEqual(groupsOf(answer).map(({ key, blocks }) => [key, blocks.length]), [['thinking-0', 1], ['text-1', 2], ['tool-4', 1], ['text-5', 1]]);
  assert.equal(blocksOf(answer)[2].citations[0].title, 'A');
});

test('what is not known is skipped', () => {
  const answer = answerOf(
    messageStart(),
    { type: 'weather_report' },
    start(0, { type: 'hologram' }),
    delta(0, { type: 'hologram_delta' }),
    stop(0),
    textBlock(1, 'a'),
    delta(1, { type: 'glow_delta' }),
    delta(9, { type: 'text_delta', text: 'lost' }),
    messageStop,
  );
  assert.equal(textOf(answer), 'a');
  assert.equal(answer.ended, true);
});

test('a fallback block changes the model, and an error event is kept in both of its shapes', () => {
  assert.equal(answerOf(messageStart(), start(0, { type: 'fallback', from: {}, to: { model: 'claude-b' } }), stop(0)).model, 'claude-b');
  const error = { type: 'overloaded_error', message: 'Overloaded' };
  assert.deepEqual(answerOf({ type: 'error', error, request_id: 'req_1' }).error, { ...error, requestId: 'req_1' });
  assert.deepEqual(answerOf({ type: 'error', error }).error, { ...error, requestId: null });
});
