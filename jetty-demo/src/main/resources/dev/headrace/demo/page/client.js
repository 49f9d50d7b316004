/**
 * One request to the gateway, from the first byte to an outcome. Never throws: every way in which an
 * answer can end has a name here, and `problems.js` has words for it.
 *
 * Outcomes: `complete`, `stopped` (by the user), `unreachable`, `status` (HTTP error), `unexpected` (200, but no
 * event stream), `error` (error event), `lost` (connection broke), `incomplete` (ended without
 * message_stop), `garbled` (an event that is no JSON).
 */
import { applyEvent } from './answer.js';
import { readEvents } from './sse.js';

const LONGEST_BODY = 4096; // of an error that is no JSON; enough to recognise whose page it is

/**
 * @param {object} request
 * @param {object} request.body the JSON to send
 * @param {object} request.answer filled while the stream comes in
 * @param {AbortSignal} request.signal stops it, also upstream
 * @param {() => void} request.onChange called after each event
 * @param {typeof fetch} [request.fetch] for tests
 */
export async function ask({ body, answer, signal, onChange, fetch: send = fetch }) {
  let response;
  try {
    response = await send('/claude/v1/messages', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify(body),
      signal,
      cache: 'no-store',
    });
  } catch (failure) {
    return signal.aborted ? { kind: 'stopped' } : { kind: 'unreachable', detail: String(failure) };
  }
  const requestId = response.headers.get('request-id');
  try {
    if (!response.ok) return { requestId, ...(await statusOutcome(response)) };
    if (!isEventStream(response)) {
      return { kind: 'unexpected', requestId, status: response.status, bodyText: await shortText(response) };
    }
    await readEvents(response.body, ({ data }) => {
      applyEvent(answer, parse(data), performance.now());
      onChange();
    });
  } catch (failure) {
    if (answer.ended) return { kind: 'complete', requestId };
    if (answer.error) return { kind: 'error', ...errorOf(answer, requestId) };
    if (signal.aborted) return { kind: 'stopped', requestId };
    if (failure instanceof GarbledEvent) return { kind: 'garbled', requestId, detail: failure.message };
    return { kind: 'lost', requestId, detail: String(failure) };
  }
  if (answer.error) return { kind: 'error', ...errorOf(answer, requestId) };
  return { kind: answer.ended ? 'complete' : 'incomplete', requestId };
}

class GarbledEvent extends Error {}

function parse(data) {
  try {
    const event = JSON.parse(data);
    if (event !== null && typeof event === 'object') return event;
  } catch {
    // said below
  }
  throw new GarbledEvent(data.slice(0, 120));
}

function errorOf(answer, requestId) {
  const { type, message, requestId: own } = answer.error;
  return { error: { type, message }, requestId: own ?? requestId };
}

function isEventStream(response) {
  return (response.headers.get('content-type') ?? '').toLowerCase().startsWith('text/event-stream');
}

/** Error bodies are read leniently: some come without the outer type, some are HTML. */
async function statusOutcome(response) {
  const text = await response.text().catch(() => '');
  const outcome = {
    kind: 'status',
    status: response.status,
    retryAfterSeconds: retryAfter(response.headers),
    mayRetry: response.headers.get('x-should-retry') !== 'false',
  };
  try {
    const { error, request_id: requestId } = JSON.parse(text);
    if (typeof error?.message !== 'string') throw new SyntaxError('no error message');
    outcome.error = { type: error.type ?? '', message: error.message, code: error.details?.error_code ?? null };
    if (requestId) outcome.requestId = requestId;
  } catch {
    outcome.bodyText = text.slice(0, LONGEST_BODY);
  }
  return outcome;
}

/** Seconds, or a date (RFC 9110, 10.2.3); null when there is none that can be understood. */
export function retryAfter(headers, now = Date.now()) {
  const value = headers.get('retry-after')?.trim();
  if (!value) return null;
  if (/^\d+$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now) / 1000));
}

async function shortText(response) {
  return (await response.text()).slice(0, LONGEST_BODY);
}
