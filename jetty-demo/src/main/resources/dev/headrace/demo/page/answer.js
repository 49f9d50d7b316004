/**
 * Puts the events of `headrace.js` together into what the page shows. Knows nothing of the page, so that every
 * rule can be tested with plain objects.
 */

/** @param {number} startedAt when the request was sent, in milliseconds of `performance.now()` */
export function newAnswer(startedAt = 0) {
  return {
    id: null,
    model: null,
    blocks: [], // in the order in which they are read; each counts its changes in `version`
    usage: null,
    stopReason: null,
    startedAt,
    begunAt: null, // the first event
    firstTokenAt: null,
    lastEventAt: null,
  };
}

/** Takes one event into the answer. */
export function applyEvent(answer, event, now = 0) {
  answer.begunAt ??= now;
  answer.lastEventAt = now;
  switch (event.type) {
    case 'start':
      answer.id = event.id;
      answer.model = event.model;
      break;
    case 'text':
    case 'thinking':
      grow(answer, event, now);
      break;
    case 'tool':
      answer.firstTokenAt ??= now;
      endBlock(answer, now);
      answer.blocks.push({ kind: 'tool', name: event.name, input: event.input, inputText: event.inputText, version: 0, done: true });
      break;
    case 'usage':
      answer.usage = event;
      break;
    case 'done':
      answer.stopReason = event.stopReason;
      answer.model = event.model ?? answer.model; // which a fallback may have changed
      endBlock(answer, now);
      break;
    default: // what is yet to be invented
  }
}

/** A text or thinking goes on until another kind of block begins. */
function grow(answer, { type, text }, now) {
  answer.firstTokenAt ??= now;
  let block = answer.blocks.at(-1);
  if (block?.kind !== type || block.done) {
    endBlock(answer, now);
    block = { kind: type, text: '', version: 0, done: false, startedAt: now, endedAt: null };
    answer.blocks.push(block);
  }
  block.text += text;
  block.version++;
}

function endBlock(answer, now) {
  const block = answer.blocks.at(-1);
  if (!block || block.done) return;
  block.done = true;
  block.endedAt = now;
  block.version++;
}

/** The answer itself, without thinking and tools. */
export function textOf(answer) {
  return answer.blocks
    .filter(({ kind }) => kind === 'text')
    .map(({ text }) => text)
    .join('');
}
