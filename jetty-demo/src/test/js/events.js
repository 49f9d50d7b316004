/** Short ways to write the events of an answer. */
import { applyEvent, newAnswer } from '../../main/resources/dev/headrace/demo/page/answer.js';

export const start = { type: 'start', id: 'msg_1', model: 'claude-sonnet-5-5' };
export const text = (words) => ({ type: 'text', text: words });
export const thinking = (words) => ({ type: 'thinking', text: words });
export const tool = (more = { input: { location: 'Lyon' } }) => ({ type: 'tool', id: 'toolu_1', name: 'get_weather', ...more });
export const usage = (more = {}) => ({ type: 'usage', inputTokens: 28, outputTokens: 12, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0.0002, ...more });
export const done = (stopReason = 'end_turn') => ({ type: 'done', stopReason });

/** The answer after these events, a tenth of a second apart. */
export function answerOf(...events) {
  const answer = newAnswer(0);
  events.forEach((event, i) => applyEvent(answer, event, (i + 1) * 100));
  return answer;
}

export const finished = (words, stopReason = 'end_turn') => answerOf(start, text(words), usage(), done(stopReason));
