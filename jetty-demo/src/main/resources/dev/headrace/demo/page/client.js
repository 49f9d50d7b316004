/**
 * One request to the gateway, from the first event to an outcome. Never throws: `problems.js` has words for every way in
 * which an answer can end.
 *
 * Outcomes: `complete`, `stopped` (by the user), `failed`, with the error that `headrace.js` gave.
 */
import { applyEvent } from './answer.js';

/**
 * @param {object} request
 * @param {typeof import('./headrace/headrace.js').stream} request.stream
 * @param {object} request.body the JSON to send
 * @param {object} request.answer filled while the stream comes in
 * @param {AbortSignal} request.signal stops it, also upstream
 * @param {() => void} request.onChange called after each event
 * @param {typeof fetch} [request.fetch] for tests
 */
export async function ask({ stream, body, answer, signal, onChange, fetch }) {
  const reading = stream({ url: '/claude/v1/messages', thinking: true, body, signal, fetch });
  try {
    for await (const event of reading) {
      applyEvent(answer, event, performance.now());
      onChange();
    }
    const { requestId } = await reading;
    return { kind: 'complete', requestId };
  } catch (error) {
    return signal.aborted ? { kind: 'stopped' } : { kind: 'failed', requestId: error.requestId ?? null, error };
  }
}
