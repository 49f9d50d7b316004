/** Reads Claude's answers from a Headrace gateway while they are written. */

/** Asks and reads the answer. The request goes out at once, and only once. */
export function stream(options: StreamOptions): AnswerStream;

export interface StreamOptions {
  /** The endpoint, such as `claude/v1/messages`, or a preset such as `claude/chat/support`. */
  url: string | URL;
  /** What the endpoint takes; `stream: true` is added. */
  body: object;
  /** Stops the answer, closes the connection, and so stops Claude. */
  signal?: AbortSignal;
  /** Further headers. `anthropic-version` is added for `…/v1/messages` if it is missing. */
  headers?: HeadersInit;
  /** Asks for Claude's thinking, too; where it comes depends on the model and the request. */
  thinking?: boolean;
  /** The format to ask for; `null` asks for none, so that a preset decides. All of them are understood. Default: `simple`. */
  format?: 'simple' | 'events' | 'text' | null;
  /**
   * Proves to the server that the request comes from its own page. `true` takes the token from `<meta name="csrf-token">`, from Spring
   * Security's `<meta name="_csrf">` and `<meta name="_csrf_header">`, or from the cookie `XSRF-TOKEN`.
   */
  csrf?: boolean | { header: string; token: string };
  /** Default: `same-origin`. */
  credentials?: RequestCredentials;
  /** Instead of the global one. */
  fetch?: typeof globalThis.fetch;

  /*
   * Callbacks, in the order of the stream. One that returns a promise is waited for. One that throws ends the answer, which then fails with
   * what it threw. Of onDone and onError exactly one is called, unless a loop over the answer was left.
   */
  onStart?(start: Start): unknown;
  /** A piece of the text, not all of it. */
  onText?(text: string): unknown;
  onThinking?(text: string): unknown;
  onTool?(tool: Tool): unknown;
  onUsage?(usage: Usage): unknown;
  onDone?(answer: Answer): unknown;
  /** A {@link HeadraceError}, the reason of `signal` (an `AbortError` as a rule), or what another callback threw. */
  onError?(error: Error): unknown;
}

/**
 * Is awaited for the whole answer, or iterated over for its events. A loop has to begin right where `stream` is called: without one, the
 * answer is read on its own, for its callbacks. Afterwards the whole can be awaited as well.
 */
export interface AnswerStream extends PromiseLike<Answer>, AsyncIterable<AnswerEvent> {
  catch<T = never>(onRejected?: ((error: Error) => T | PromiseLike<T>) | null): Promise<Answer | T>;
  finally(onSettled?: (() => void) | null): Promise<Answer>;
}

/** A whole answer. What the format does not tell is null. */
export interface Answer {
  id: string | null;
  model: string | null;
  text: string;
  tools: Tool[];
  usage: Usage | null;
  /** `end_turn`, `max_tokens`, `tool_use`, `refusal`, … */
  stopReason: string | null;
  /** Names the request in the logs of the API, else in those of the gateway. */
  requestId: string | null;
}

export interface Start {
  id: string | null;
  model: string | null;
}

/** A tool that Claude asks the page to run; those that the API runs itself are not told. */
export interface Tool {
  id: string;
  name: string;
  /** A JSON object; missing if what Claude wrote is none. */
  input?: Record<string, unknown>;
  /** What Claude wrote, in that case. */
  inputText?: string;
}

/** Final counts. What is not known is null. */
export interface Usage {
  /** Neither read from the cache nor written to it. */
  inputTokens: number | null;
  outputTokens: number | null;
  cacheReadTokens: number | null;
  cacheWriteTokens: number | null;
  /** In US dollars, from the price table of the gateway. */
  costUsd: number | null;
}

export type AnswerEvent =
  | ({ type: 'start' } & Start)
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string }
  | ({ type: 'tool' } & Tool)
  | ({ type: 'usage' } & Usage)
  /** `model` if another one than `start` named has taken over. */
  | { type: 'done'; stopReason: string | null; model?: string };

/** What can go wrong, besides an `AbortError`. */
export class HeadraceError extends Error {
  private constructor();
  readonly name: 'HeadraceError';
  /**
   * The API's error type, such as `overloaded_error` or `rate_limit_error`, or one of ours: `network_error` (no connection, or it was lost),
   * `stream_cut` (the answer ended before it was complete), `unexpected_response` (such as a login page).
   */
  readonly type: string;
  /** HTTP status; 200 if the answer had begun, null if there was none. */
  readonly status: number | null;
  /** Names the request in the logs of the API, else in those of the gateway. */
  readonly requestId: string | null;
  /** Whether the same request may succeed when somebody tries it again. */
  readonly retryable: boolean;
  /** How long the server asks to wait before that. */
  readonly retryAfterMs: number | null;
  /** The text that had arrived. */
  readonly partial: string;
  /** The beginning of a body that is no error of the API, such as a login page. */
  readonly body: string | null;
}

declare global {
  /** For scripts that are no modules; there from DOMContentLoaded on, if a `<script type="module">` loads this file. */
  var headrace: Readonly<{ stream: typeof stream; HeadraceError: typeof HeadraceError }>;
}
