/**
 * What Claude gets to see of the conversation so far.
 *
 * A turn is `{prompt, answer, outcome}`. Of an answer only its text goes back: the API takes thinking and tools in whole
 * blocks only, and this page has but their words. A turn without any text (failed,
 * refused, stopped before the first word) is left out with its question, so that the roles
 * alternate and a refused question is not asked again.
 */
import { textOf } from './answer.js';

export function messagesFor(turns, prompt) {
  const messages = [];
  for (const turn of turns) {
    if (!isRemembered(turn)) continue;
    messages.push({ role: 'user', content: turn.prompt });
    messages.push({ role: 'assistant', content: textOf(turn.answer).trimEnd() });
  }
  messages.push({ role: 'user', content: prompt });
  return messages;
}

export function isRemembered(turn) {
  return turn.answer.stopReason !== 'refusal' && textOf(turn.answer).trim() !== '';
}

/** The body of `POST /v1/messages`; `headrace.js` adds that it is to stream. An empty system prompt is left away. */
export function requestBody({ model, maxTokens, system, turns, prompt }) {
  const body = { model, max_tokens: maxTokens };
  if (system.trim() !== '') body.system = system;
  body.messages = messagesFor(turns, prompt);
  return body;
}
