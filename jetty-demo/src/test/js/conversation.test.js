import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messagesFor, requestBody } from '../../main/resources/dev/headrace/demo/page/conversation.js';
import { answerOf, finished, start, text, thinking, tool } from './events.js';

const turn = (prompt, answer) => ({ prompt, answer });

test('roles alternate and the new prompt is last', () => {
  assert.deepEqual(messagesFor([turn('a', finished('A'))], 'b'), [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'A' },
    { role: 'user', content: 'b' },
  ]);
});

test('a stopped answer goes on from what was received, without thinking or tools', () => {
  const stopped = answerOf(start, thinking('secret'), text('Half an ans '), tool());
  assert.equal(messagesFor([turn('a', stopped)], 'b')[1].content, 'Half an ans');
});

test('turns without text and refused turns are left out with their question', () => {
  const failed = answerOf();
  const blank = answerOf(start, text(' \n'));
  const refused = finished('I will not', 'refusal');
  assert.deepEqual(messagesFor([turn('x', failed), turn('y', blank), turn('z', refused)], 'b'), [{ role: 'user', content: 'b' }]);
});

test('an empty system prompt is left away', () => {
  const settings = { model: 'm', maxTokens: 9, turns: [], prompt: 'a' };
  assert.deepEqual(requestBody({ ...settings, system: ' ' }), {
    model: 'm',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'a' }],
  });
  assert.equal(requestBody({ ...settings, system: 'Be brief.' }).system, 'Be brief.');
});
