/** Short ways to write the events of a stream. */
import { applyEvent, newAnswer } from '../../main/resources/dev/headrace/demo/page/answer.js';

export const messageStart = (usage = { input_tokens: 28, output_tokens: 5 }) => ({
  type: 'message_start',
  message: { id: 'msg_1', model: 'claude-sonnet-5-5', content: [], usage },
});
export const start = (index, block) => ({ type: 'content_block_start', index, content_block: block });
export const delta = (index, content) => ({ type: 'content_block_delta', index, delta: content });
export const text = (index, value) => delta(index, { type: 'text_delta', text: value });
export const stop = (index) => ({ type: 'content_block_stop', index });
export const messageDelta = (stopReason, usage = {}) => ({
  type: 'message_delta',
  delta: { stop_reason: stopReason, stop_sequence: null, stop_details: null },
  usage,
});
export const messageStop = { type: 'message_stop' };
export const textBlock = (index, value) => [start(index, { type: 'text', text: '' }), text(index, value), stop(index)];

/** The answer after these events, a tenth of a second apart. */
export function answerOf(...events) {
  const answer = newAnswer(0);
  events.flat().forEach((event, i) => applyEvent(answer, event, (i + 1) * 100));
  return answer;
}

export const finished = (value, stopReason = 'end_turn') =>
  answerOf(messageStart(), textBlock(0, value), messageDelta(stopReason, { output_tokens: 12 }), messageStop);
