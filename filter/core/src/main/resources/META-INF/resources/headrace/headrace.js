/**
 * Reads Claude's answers from a Headrace gateway while they are written. No dependencies, no build step.
 *
 *     import { stream } from './headrace/headrace.js';
 *
 *     const answer = await stream({
 *       url: 'claude/chat/support',
 *       body: { messages: [{ role: 'user', content: 'Hello!' }] },
 *       onText: (text) => output.append(text),
 *     });
 *     console.log(answer.stopReason, answer.usage.costUsd);
 *
 * or, without callbacks, `for await (const event of stream({url, body}))`. Leaving the loop, or aborting
 * `signal`, closes the connection, and the gateway stops Claude. One call is one request: nothing is ever
 * asked a second time by itself. What goes wrong is a `HeadraceError`; a cut answer never looks whole.
 *
 * Pages whose own scripts are no modules load this file with `<script type="module" src="…">` and find
 * `headrace.stream` and `headrace.HeadraceError` from DOMContentLoaded on. Types are in `headrace.d.ts`.
 */

const API_VERSION = '2026-10-21';
const LONGEST_BODY = 4096; // characters kept of an answer that is not ours; enough to see whose page it is
const LONGEST_ERROR = 64 * 1024; // characters read of what is no answer
const SPEND_LIMITS = ['contract_spend_limit_reached', 'enforced_spend_limit_reached'];
const PASSING_ERRORS = ['overloaded_error', 'api_error', 'rate_limit_error', 'timeout_error'];
const ignore = () => {};

/** What can go wrong, besides an `AbortError`. */
export class HeadraceError extends Error {
  /**
   * @param {string} message
   * @param {object} details
   */
  constructor(message, details) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = 'HeadraceError';
    /** The API's error type, or `network_error`, `stream_cut`, `unexpected_response`. */
    this.type = details.type;
    /** HTTP status; 200 if the answer had begun, null if there was none. */
    this.status = details.status ?? null;
    /** Names the request in the logs of the API, else in those of the gateway. */
    this.requestId = details.requestId ?? null;
    /** Whether the same request may succeed when somebody tries it again. */
    this.retryable = details.retryable ?? false;
    /** How long the server asks to wait before that, else null. */
    this.retryAfterMs = details.retryAfterMs ?? null;
    /** The text that had arrived. */
    this.partial = details.partial ?? '';
    /** The beginning of a body that the gateway did not write, such as a login page, else null. */
    this.body = details.body ?? null;
  }
}

/**
 * Asks and reads the answer. The request goes out at once. See `headrace.d.ts` for each option.
 *
 * @param {import('./headrace.d.ts').StreamOptions} options
 * @returns {import('./headrace.d.ts').AnswerStream} to be awaited, or iterated over, which has to begin in the
 *   same turn: an answer that nobody iterates over is read on its own, for its callbacks
 */
export function stream(options) {
  return new AnswerStream(options);
}

class AnswerStream {
  #options;
  #answer = { id: null, model: null, text: '', tools: [], usage: null, stopReason: null, requestId: null };
  #controller = new AbortController();
  #forwardAbort = () => this.#controller.abort(this.#options.signal.reason);
  #response;
  #status = null;
  #reading = false;
  #ended = false; // the answer is whole, or has failed
  #whole;
  #resolve;
  #reject;

  constructor(options) {
    this.#options = options;
    this.#whole = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (options.signal?.aborted) this.#forwardAbort();
    else options.signal?.addEventListener('abort', this.#forwardAbort, { once: true });
    this.#response = this.#send();
    this.#response.catch(ignore); // whoever reads meets it
    queueMicrotask(() => {
      if (!this.#reading) this.#readAlone().catch(ignore); // told by the promise
    });
  }

  then(onFulfilled, onRejected) {
    return this.#whole.then(onFulfilled, onRejected);
  }

  catch(onRejected) {
    return this.#whole.catch(onRejected);
  }

  finally(onSettled) {
    return this.#whole.finally(onSettled);
  }

  [Symbol.asyncIterator]() {
    if (this.#reading) {
      throw new Error('This answer is being read already: loop over it right where stream() is called, and once');
    }
    this.#reading = true;
    this.#whole.catch(ignore); // the loop meets it
    const events = this.#events();
    return {
      next: () => events.next(),
      return: async (value) => {
        if (!this.#ended) await this.#fail(new DOMException('The loop over the answer was left', 'AbortError'), false);
        return events.return(value);
      },
    };
  }

  async #readAlone() {
    this.#reading = true;
    const events = this.#events();
    while (!(await events.next()).done);
  }

  async *#events() {
    try {
      const response = await this.#response;
      for await (const event of this.#read(response)) {
        await this.#tell(event);
        if (event.type === 'done') this.#resolve(this.#answer);
        yield event;
      }
    } catch (failure) {
      await this.#fail(failure, true);
      throw failure;
    }
  }

  /** The end of an answer that is not whole: closes the connection, tells the page, settles the promise. */
  async #fail(failure, tell) {
    const { onError, signal } = this.#options;
    const doneWasTold = this.#ended;
    this.#ended = true;
    signal?.removeEventListener('abort', this.#forwardAbort);
    this.#controller.abort(failure);
    try {
      if (onError && tell && !doneWasTold) {
        await onError(failure);
        this.#whole.catch(ignore); // somebody knows
      }
      this.#reject(failure);
    } catch (thrown) {
      this.#reject(thrown);
    }
  }

  async #send() {
    const { signal } = this.#controller;
    signal.throwIfAborted();
    const address = addressOf(this.#options);
    const send = this.#options.fetch ?? globalThis.fetch;
    const request = {
      method: 'POST',
      headers: headersOf(this.#options, address),
      body: JSON.stringify({ ...this.#options.body, stream: true }),
      credentials: this.#options.credentials ?? 'same-origin',
      cache: 'no-store',
      signal,
    };
    try {
      return await orAborted(send(address, request), signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw this.#error('network_error', 'No answer from the server: it cannot be reached, or sends to a login elsewhere', {
        cause,
        retryable: true,
      });
    }
  }

  /** The events of an answer, up to `done`. Throws where there is none. */
  async *#read(response) {
    const { signal } = this.#controller;
    this.#status = response.status;
    this.#answer.requestId = response.headers.get('request-id') ?? response.headers.get('headrace-exchange-id');
    const type = mediaType(response);
    // Plain text has no mark of its end, so it has to be the gateway's: a login filter sends text, too. Of an answer from
    // another origin a page may not see whose it is.
    const known = this.#answer.requestId !== null || response.type === 'cors';
    const streamed = type === 'text/event-stream' || (type === 'text/plain' && known);
    if (!response.ok || !streamed) throw await this.#refusal(response, type);
    const eventsIn = type === 'text/plain' ? plainText : eventStream();
    const reader = this.#readerOf(response);
    const decoder = new TextDecoder();
    for (let atEnd = false; !atEnd; ) {
      const chunk = await this.#chunk(reader);
      atEnd = chunk.done;
      for (const event of this.#parse(eventsIn, decoder.decode(chunk.value, { stream: !atEnd }), atEnd)) {
        signal.throwIfAborted();
        if (event.type === 'error') throw this.#errorEvent(event.data);
        if (event.type === 'done') {
          this.#ended = true;
          this.#options.signal?.removeEventListener('abort', this.#forwardAbort);
          // Nothing but the end can follow; to read it lets the connection be used again.
          if (!atEnd) reader.read().then(({ done }) => done || reader.cancel()).catch(ignore);
        }
        yield event;
        if (event.type === 'done') return;
      }
    }
    throw this.#error('stream_cut', 'The answer ended before it was complete', { retryable: true });
  }

  #readerOf(response) {
    const { signal } = this.#controller;
    const reader = (response.body ?? new Response('').body).getReader();
    // A fetch of the page's own may not know the signal.
    signal.addEventListener('abort', () => reader.cancel(signal.reason).catch(ignore), { once: true });
    return reader;
  }

  /** As much of a body as an error may be: a page that goes on for ever is none. What cannot be read is left out. */
  async #beginningOf(response) {
    const decoder = new TextDecoder();
    let text = '';
    try {
      const reader = this.#readerOf(response); // throws if a fetch of the page's own has read it
      while (text.length < LONGEST_ERROR) {
        const { done, value } = await reader.read();
        text += decoder.decode(value, { stream: !done });
        if (done) return text;
      }
      reader.cancel().catch(ignore);
    } catch {
      // that is all there is
    }
    return text;
  }

  async #chunk(reader) {
    const { signal } = this.#controller;
    try {
      const chunk = await reader.read();
      signal.throwIfAborted(); // a cancelled reader is at its end, too
      return chunk;
    } catch (cause) {
      signal.throwIfAborted();
      throw this.#error('network_error', 'The connection was lost before the answer was complete', { cause, retryable: true });
    }
  }

  *#parse(eventsIn, text, atEnd) {
    try {
      yield* eventsIn(text, atEnd);
    } catch (cause) {
      if (!(cause instanceof UnreadableEvent)) throw cause;
      throw this.#error('unexpected_response', cause.message, {});
    }
  }

  /** Keeps what an event brings and calls back for it. */
  #tell(event) {
    const answer = this.#answer;
    const { type, ...value } = event;
    switch (type) {
      case 'start':
        Object.assign(answer, value);
        return this.#options.onStart?.(value);
      case 'text':
        answer.text += value.text;
        return this.#options.onText?.(value.text);
      case 'thinking':
        return this.#options.onThinking?.(value.text);
      case 'tool':
        answer.tools.push(value);
        return this.#options.onTool?.(value);
      case 'usage':
        answer.usage = value;
        return this.#options.onUsage?.(value);
      default: // done
        answer.stopReason = value.stopReason;
        answer.model = value.model ?? answer.model; // another one may have taken over
        return this.#options.onDone?.(answer);
    }
  }

  #error(type, message, details) {
    return new HeadraceError(message, {
      type,
      status: this.#status,
      requestId: this.#answer.requestId,
      partial: this.#answer.text,
      ...details,
    });
  }

  /** Both shapes: `{type, message, …}`, and Claude's `{error: {type, message}, request_id}`. */
  #errorEvent(data) {
    const { type, message } = data.error ?? data;
    return this.#error(type ?? 'api_error', message || 'The answer ended with an error', {
      requestId: data.request_id ?? this.#answer.requestId,
      retryable: data.retryable ?? PASSING_ERRORS.includes(type ?? 'api_error'),
    });
  }

  /** An answer that is none. Bodies are read leniently: some errors lack the outer type, some are web pages. */
  async #refusal(response, type) {
    const { status, headers } = response;
    const text = await this.#beginningOf(response);
    this.#controller.signal.throwIfAborted();
    if (response.ok) {
      const what = type === 'text/html' ? 'a web page; is the login expired?' : `${type || 'no content type'} instead of a stream`;
      return this.#error('unexpected_response', `The server answered with ${what}${redirect(response)}`, {
        body: text.slice(0, LONGEST_BODY),
      });
    }
    const { error, request_id: requestId } = parsed(text) ?? {};
    const known = typeof error?.message === 'string';
    const retryAfterMs = retryAfter(headers);
    const spent = error?.type === 'billing_error' || SPEND_LIMITS.includes(error?.details?.error_code);
    const login = status === 401 || status === 403 ? '; is the login expired?' : '';
    const message = type === 'text/html' ? `The server answered with a web page${login}` : 'The server gave no reason';
    return this.#error(known ? (error.type ?? typeOf(status)) : typeOf(status), known ? error.message : `${message} (HTTP ${status})`, {
      requestId: requestId ?? this.#answer.requestId,
      retryAfterMs,
      // Not asked: x-should-retry. It keeps programs from repeating what the gateway has repeated; a person may.
      retryable: [408, 409, 429].includes(status) ? !spent || retryAfterMs !== null : status >= 500,
      body: known ? null : text.slice(0, LONGEST_BODY),
    });
  }
}

/** What a fetch brings, unless it is aborted before: a fetch of the page's own may not know the signal. */
function orAborted(sent, signal) {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    Promise.resolve(sent).then((response) => {
      if (signal.aborted) response.body?.cancel(signal.reason).catch(ignore);
      resolve(response);
    }, reject);
  });
}

// --- the request ---

function addressOf({ url, format, thinking }) {
  const address = String(url).replace(/#.*/, '');
  const query = new URLSearchParams(address.split('?').slice(1).join('?'));
  const added = [];
  if (format !== null && !query.has('format')) added.push(`format=${encodeURIComponent(format ?? 'simple')}`);
  if (thinking) added.push('thinking=true');
  return added.length === 0 ? address : `${address}${address.includes('?') ? '&' : '?'}${added.join('&')}`;
}

function headersOf(options, address) {
  const headers = new Headers(options.headers);
  const otherwise = (name, value) => headers.has(name) || headers.set(name, value);
  otherwise('content-type', 'application/json');
  otherwise('accept', 'text/event-stream'); // tells a login filter that no person waits for its page
  if (/(^|\/)v1\/messages$/.test(address.split('?')[0])) otherwise('anthropic-version', API_VERSION);
  if (options.csrf) headers.set(...csrfOf(options.csrf, address));
  return headers;
}

/** Name and value of the header by which a server knows its own pages. */
function csrfOf(csrf, address) {
  if (csrf !== true) return [csrf.header, csrf.token];
  const { document, location } = globalThis;
  const meta = (name) => document?.querySelector(`meta[name="${name}"]`)?.content;
  if (document && new URL(address, document.baseURI).origin !== location.origin) {
    throw new TypeError('csrf: true is for the server of this page; another one gets no token of it');
  }
  if (meta('csrf-token')) return ['X-CSRF-TOKEN', meta('csrf-token')];
  if (meta('_csrf')) return [meta('_csrf_header') || 'X-CSRF-TOKEN', meta('_csrf')];
  const cookie = /(?:^|;\s*)XSRF-TOKEN=([^;]+)/.exec(document?.cookie ?? '');
  if (cookie) return ['X-XSRF-TOKEN', decodeURIComponent(cookie[1])];
  throw new TypeError('csrf: true finds no <meta name="csrf-token">, no <meta name="_csrf"> and no cookie XSRF-TOKEN');
}

// --- what is no answer ---

function mediaType(response) {
  return (response.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();
}

/** Only the path: a login's query may hold secrets. */
function redirect({ redirected, url }) {
  return redirected ? ` (redirected to ${new URL(url).pathname})` : '';
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Milliseconds from `retry-after-ms`, else from `retry-after`: seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter(headers) {
  const millis = headers.get('retry-after-ms')?.trim();
  if (millis && Number(millis) >= 0) return Math.ceil(Number(millis));
  const value = headers.get('retry-after')?.trim();
  if (!value) return null;
  if (Number(value) >= 0) return Math.ceil(Number(value) * 1000);
  const date = /[a-z]/i.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

const TYPES = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** For a body that names none. */
function typeOf(status) {
  return TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}

// --- the answer ---
// A format is a generator function from decoded text to the events that the text completes.

/** Format `text`: a failed answer breaks the connection, so that a clean end is a good one. */
function* plainText(text, atEnd) {
  if (text !== '') yield { type: 'text', text };
  if (atEnd) yield { type: 'done', stopReason: null };
}

/** Formats `simple` and `events`: Claude's own events are told in the words of `simple`. */
function eventStream() {
  const eventsIn = eventReader();
  const translate = translator();
  return function* (text) {
    for (const { name, data } of eventsIn(text)) yield* translate(name, data);
  };
}

class UnreadableEvent extends Error {}

/** What is not known is skipped: there may be new events, blocks and deltas at any time. */
function translator() {
  const open = new Map(); // index of a block that is being written -> the tool that it is, else null
  let begun = false;
  let usage = null;
  let stopReason = null;
  let takenOverBy = null; // the model
  const translations = {
    // format simple
    start: ({ id, model }) => [startOf(id, model)],
    text: ({ text }) => [{ type: 'text', text }],
    thinking: ({ text }) => [{ type: 'thinking', text }],
    tool: ({ id, name, input, input_text: inputText }) => [
      { type: 'tool', id, name, ...(inputText === undefined ? { input } : { inputText }) },
    ],
    usage: (counts) => [
      usageOf(counts.input_tokens, counts.output_tokens, counts.cache_read_tokens, counts.cache_write_tokens, counts.cost_usd),
    ],
    done: (end) => [doneOf(end.stop_reason, end.model)],

    // both
    error: (data) => [{ type: 'error', data }],

    // Claude's own
    message_start: ({ message }) => {
      if (begun) throw new UnreadableEvent('A second answer began within the first');
      begun = true;
      usage = { ...message?.usage, output_tokens: undefined }; // a placeholder, until message_delta
      return [startOf(message?.id, message?.model)];
    },
    content_block_start: ({ index, content_block: block }) => {
      // Those of the server (server_tool_use, mcp_tool_use) are run by the API.
      const isTool = block?.type === 'tool_use';
      open.set(index, isTool ? { id: block.id, name: block.name, input: block.input ?? {}, json: '' } : null);
      if (block?.type === 'fallback') takenOverBy = block.to?.model ?? takenOverBy;
      return block?.type === 'text' && block.text ? [{ type: 'text', text: words(block.text) }] : [];
    },
    content_block_delta: ({ index, delta }) => {
      const tool = blockAt(index);
      if (delta?.type === 'text_delta') return [{ type: 'text', text: words(delta.text) }];
      if (delta?.type === 'thinking_delta') return [{ type: 'thinking', text: words(delta.thinking) }];
      if (delta?.type === 'input_json_delta' && tool) tool.json += words(delta.partial_json);
      return [];
    },
    content_block_stop: ({ index }) => {
      const tool = blockAt(index);
      open.delete(index);
      return tool ? [toolOf(tool)] : [];
    },
    message_delta: (event) => {
      if (event.delta?.stop_reason !== undefined) stopReason = event.delta.stop_reason;
      // Totals, of which each replaces the one before; a null takes nothing away.
      for (const [name, count] of Object.entries(event.usage ?? {})) if (count !== null) usage = { ...usage, [name]: count };
      return [];
    },
    message_stop: () => {
      if (!begun) throw new UnreadableEvent('The answer ended before it began');
      // Nothing that came is lost if a block was left open.
      const tools = [...open.values()].filter((tool) => tool !== null).map(toolOf);
      const done = doneOf(stopReason, takenOverBy);
      const { input_tokens: input, output_tokens: output, cache_read_input_tokens: read, cache_creation_input_tokens: write } = usage;
      const split = usage.cache_creation ?? {};
      const written = write ?? (split.ephemeral_5m_input_tokens ?? 0) + (split.ephemeral_1h_input_tokens ?? 0);
      return [...tools, usageOf(input, output, read ?? 0, written, null), done];
    },
  };
  function blockAt(index) {
    if (!open.has(index)) throw new UnreadableEvent('A part of the answer is out of place');
    return open.get(index);
  }
  return (name, data) => {
    if (!Object.hasOwn(translations, name)) return [];
    const value = parsed(data);
    if (value === null || typeof value !== 'object') throw new UnreadableEvent(`The event "${name}" could not be read`);
    return translations[name](value);
  };
}

function toolOf({ id, name, json, input: atStart }) {
  const input = json.trim() === '' ? atStart : parsed(json); // at max_tokens it can be half a JSON text
  const whole = input !== null && typeof input === 'object' && !Array.isArray(input);
  return { type: 'tool', id, name, ...(whole ? { input } : { inputText: json }) };
}

function words(text) {
  if (typeof text !== 'string') throw new UnreadableEvent('A part of the answer has no text');
  return text;
}

function doneOf(stopReason = null, model = null) {
  return { type: 'done', stopReason, ...(model !== null && { model }) };
}

function startOf(id = null, model = null) {
  return { type: 'start', id, model };
}

function usageOf(inputTokens = null, outputTokens = null, cacheReadTokens = null, cacheWriteTokens = null, costUsd = null) {
  return { type: 'usage', inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd };
}

/**
 * Reads `text/event-stream` (WHATWG HTML, 9.2), piece by piece. Lines may end in LF, CRLF or CR and arrive over many
 * pieces. An event without its closing blank line at the end is dropped.
 *
 * @returns {(text: string) => Generator<{name: string, data: string}>}
 */
function eventReader() {
  let pieces = []; // of the unfinished line; joined once, so that a huge event takes linear time
  let afterCr = false;
  let name = '';
  let data = [];
  return function* (text) {
    if (text === '') return;
    let start = afterCr && text[0] === '\n' ? 1 : 0;
    afterCr = false;
    const lineEnd = /\r\n|\r|\n/g;
    lineEnd.lastIndex = start;
    for (let match = lineEnd.exec(text); match !== null; match = lineEnd.exec(text)) {
      const line = pieces.join('') + text.slice(start, match.index);
      pieces = [];
      start = lineEnd.lastIndex;
      afterCr = match[0] === '\r' && start === text.length;
      if (line === '') {
        const event = { name: name || 'message', data: data.join('\n') };
        const complete = data.length > 0;
        name = '';
        data = [];
        if (complete) yield event;
        continue;
      }
      const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line); // a comment has no field name
      if (field === 'event') name = value ?? '';
      else if (field === 'data') data.push(value ?? '');
    }
    if (start < text.length) pieces.push(text.slice(start));
  };
}

/** For scripts that are no modules. */
globalThis.headrace = Object.freeze({ stream, HeadraceError });
