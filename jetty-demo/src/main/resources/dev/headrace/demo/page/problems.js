/**
 * Words for everything that can go wrong: what happened, and what one can do about it.
 * `explain` gives null for an answer that simply came to its end.
 */

const BY_STATUS = {
  400: ['The request was not accepted', 'Something in the request does not suit this model or account.'],
  401: [
    'The API key was not accepted',
    'The server could not sign in to Claude. Check ANTHROPIC_API_KEY where the demo was started.',
  ],
  402: ['There is a billing problem', 'The account behind the API key needs attention before Claude answers.'],
  403: ['Not allowed', 'The API key may not use this model or feature.'],
  404: ['Not found', 'The model, or the address behind the gateway, does not exist. Choose another model.'],
  409: ['The request collided with another one', 'It usually works when tried again.'],
  413: ['The conversation is too large', 'Start a new conversation, or send a shorter message.'],
  429: ['Too many requests', 'A limit is used up for the moment.'],
  500: ['Claude had an internal error', 'Nothing is wrong with the message. It usually works when tried again.'],
  502: ['The gateway got no usable answer', 'Claude could not be reached, or its answer made no sense.'],
  503: ['Claude is not available', 'The service is down or restarting. Try again in a moment.'],
  504: ['Claude did not answer in time', 'The gateway waited as long as it may. Try again, or ask for less.'],
  529: ['Claude is overloaded', 'Too many people ask at once. Try again in a moment.'],
};

const BY_TYPE = {
  overloaded_error: 'Claude is overloaded',
  rate_limit_error: 'a rate limit was reached',
  timeout_error: 'it took too long',
  api_error: 'the API or the way to it failed',
  authentication_error: 'the API key was not accepted',
  permission_error: 'not allowed',
  invalid_request_error: 'the request was not accepted',
  request_too_large: 'the request is too large',
};

/**
 * @returns {null | {tone: 'error' | 'note', title: string, text: string, said: string | null,
 *   action: 'retry' | 'continue' | null, retryAfterSeconds: number | null}} `said` are the words of the server
 */
export function explain(outcome, answer, hasText) {
  switch (outcome.kind) {
    case 'complete':
      return explainStop(answer, hasText);
    case 'stopped':
      return note('Stopped by you', hasText ? 'What had arrived stays, and the next message builds on it.' : '', 'retry');
    default:
      return explainFailure(outcome.error, answer, hasText);
  }
}

function explainFailure(error, answer, hasText) {
  if (error.status >= 400) return explainStatus(error);
  const sofar = hasText ? 'The text above is everything that arrived.' : 'It happened before the first word.';
  switch (error.type) {
    case 'network_error':
      return error.status === null
        ? problem('The demo server cannot be reached', 'Is it still running? Check the connection, then try again.')
        : problem(hasText ? 'Cut off: the connection was lost' : 'The connection was lost', sofar);
    case 'stream_cut':
      return problem(
        'The answer is incomplete',
        'The stream ended without saying that the answer is finished. Something may be missing.',
      );
    case 'unexpected_response':
      return error.body === null
        ? problem('Cut off: an event could not be read', 'The server sent an event that is not valid JSON.')
        : problem(
            'That was no answer from Claude',
            'The server sent something else than an event stream, perhaps a login or error page.',
            { said: plainText(error.body) },
          );
    case undefined:
      return problem('Something unforeseen happened', String(error));
    default: // an error event
      return problem(hasText ? `Cut off: ${byType(error)}` : upperFirst(byType(error)), sofar, {
        said: error.message,
        action: error.retryable ? 'retry' : null,
      });
  }
}

function explainStop(answer, hasText) {
  switch (answer.stopReason) {
    case 'max_tokens':
      return note('Cut at the length limit', 'The answer reached the most tokens that it was allowed.', hasText ? 'continue' : 'retry');
    case 'model_context_window_exceeded':
      return note('The conversation is full', 'It no longer fits into the model. Start a new conversation.', null);
    case 'refusal':
      return note(
        'Claude declined to answer',
        'The request met a safety rule. This exchange is left out of what Claude sees next.',
        null,
      );
    case 'tool_use':
      return note('Claude asks for a tool', 'This page runs no tools, so the answer ends here.', null);
    case 'pause_turn':
      return note('Claude paused', 'A long search or tool run was interrupted.', hasText ? 'continue' : 'retry');
    default:
      return hasText || answer.blocks.length > 0 ? null : note('An empty answer', 'Claude finished without a word.', 'retry');
  }
}

function explainStatus(error) {
  const { status } = error;
  const said = error.body === null ? error.message : plainText(error.body);
  if (status === 429 && !error.retryable) {
    return problem('A spending limit is reached', 'It stays so until somebody raises the limit.', { said, action: null });
  }
  const [title, text] = BY_STATUS[status] ?? [
    status >= 500 ? 'The server failed' : 'The request was not accepted',
    `The answer was HTTP status ${status}.`,
  ];
  const page = error.body === null ? '' : ` The server sent no details in Claude’s format (HTTP ${status}).`;
  return problem(title, text + page, {
    said,
    action: error.retryable ? 'retry' : null,
    retryAfterSeconds: error.retryAfterMs === null ? null : Math.ceil(error.retryAfterMs / 1000),
  });
}

function problem(title, text, { said = null, action = 'retry', retryAfterSeconds = null } = {}) {
  return { tone: 'error', title, text, said: said || null, action, retryAfterSeconds };
}

function note(title, text, action) {
  return { tone: 'note', title, text, said: null, action, retryAfterSeconds: null };
}

function byType({ type }) {
  return BY_TYPE[type] ?? `an error (${type})`;
}

function upperFirst(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The readable part of an HTML error page; shown as text only, so this needs not be safe, just short. */
function plainText(body) {
  const text = body
    .replace(/<(style|script|head)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
