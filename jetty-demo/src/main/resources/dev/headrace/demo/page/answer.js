/**
 * Puts the events of one Messages API stream together into an answer. Knows nothing of the page,
 * so that every rule can be tested with plain objects.
 *
 * Blocks are addressed by their `index`: the API may let open blocks interleave. What is not known
 * (events, blocks, deltas) is skipped, because the API may add to them at any time.
 */

/** @param {number} startedAt when the request was sent, in milliseconds of `performance.now()` */
export function newAnswer(startedAt = 0) {
  return {
    id: null,
    model: null,
    blocks: new Map(), // index -> block; each block counts its changes in `version`
    usage: {},
    stopReason: null,
    stopSequence: null,
    stopDetails: null,
    error: null, // the error event, if one came
    ended: false, // message_stop came
    startedAt,
    firstBlockAt: null,
    firstTokenAt: null,
    lastEventAt: null,
  };
}

/** Takes one event into the answer. `event` is the parsed JSON of its data line. */
export function applyEvent(answer, event, now = 0) {
  answer.lastEventAt = now;
  switch (event.type) {
    case 'message_start':
      answer.id = event.message?.id ?? null;
      answer.model = event.message?.model ?? null;
      takeUsage(answer, event.message?.usage);
      // The count at the start is a placeholder; only message_delta knows the real one.
      delete answer.usage.output_tokens;
      break;
    case 'content_block_start':
      startBlock(answer, event, now);
      break;
    case 'content_block_delta':
      applyDelta(answer, event, now);
      break;
    case 'content_block_stop':
      stopBlock(answer.blocks.get(event.index), now);
      break;
    case 'message_delta':
      answer.stopReason = event.delta?.stop_reason ?? answer.stopReason;
      answer.stopSequence = event.delta?.stop_sequence ?? answer.stopSequence;
      answer.stopDetails = event.delta?.stop_details ?? answer.stopDetails;
      takeUsage(answer, event.usage);
      break;
    case 'message_stop':
      answer.ended = true;
      break;
    case 'error':
      answer.error = {
        type: event.error?.type ?? 'api_error',
        message: event.error?.message ?? '',
        requestId: event.request_id ?? null,
      };
      break;
    default: // ping, and what is yet to be invented
  }
}

/** Totals replace each other, they are never added; a null takes nothing away. */
function takeUsage(answer, usage) {
  for (const [name, value] of Object.entries(usage ?? {})) {
    if (value !== null) answer.usage[name] = value;
  }
}

function startBlock(answer, { index, content_block: start }, now) {
  const block = createBlock(start);
  if (block === null) {
    if (start?.type === 'fallback') answer.model = start.to?.model ?? answer.model;
    return;
  }
  answer.firstBlockAt ??= now;
  if (block.text) answer.firstTokenAt ??= now;
  answer.blocks.set(index, { index, version: 0, done: false, startedAt: now, endedAt: null, ...block });
}

function createBlock(start) {
  switch (start?.type) {
    case 'text':
      return { kind: 'text', text: start.text ?? '', citations: [...(start.citations ?? [])] };
    case 'thinking':
      return { kind: 'thinking', text: start.thinking ?? '', redacted: false };
    case 'redacted_thinking':
      return { kind: 'thinking', text: '', redacted: true };
    case 'tool_use':
      return newTool(start, 'client', null);
    case 'server_tool_use':
      return newTool(start, 'server', null);
    case 'mcp_tool_use':
      return newTool(start, 'mcp', start.server_name ?? null);
    case 'web_search_tool_result':
      return Array.isArray(start.content)
        ? { kind: 'search', results: start.content.filter((r) => r?.type === 'web_search_result'), error: null }
        : { kind: 'search', results: [], error: start.content?.error_code ?? 'unavailable' };
    case 'compaction':
      return { kind: 'compaction' };
    default:
      return typeof start?.type === 'string' && start.type.endsWith('_tool_result')
        ? { kind: 'result', name: start.type.replace(/_tool_result$/, ''), content: start.content ?? null }
        : null;
  }
}

function newTool(start, origin, server) {
  const given = start.input && Object.keys(start.input).length > 0 ? start.input : undefined;
  return { kind: 'tool', origin, server, name: start.name ?? '', json: '', input: given, valid: true };
}

function applyDelta(answer, { index, delta }, now) {
  const block = answer.blocks.get(index);
  if (!block || !delta) return;
  let token = '';
  if (delta.type === 'text_delta' && block.kind === 'text') {
    block.text += token = delta.text ?? '';
  } else if (delta.type === 'citations_delta' && block.kind === 'text') {
    if (delta.citation) block.citations.push(delta.citation);
  } else if (delta.type === 'thinking_delta' && block.kind === 'thinking') {
    block.text += token = delta.thinking ?? '';
  } else if (delta.type === 'input_json_delta' && block.kind === 'tool') {
    block.json += token = delta.partial_json ?? '';
  } else {
    return;
  }
  if (token !== '') answer.firstTokenAt ??= now;
  block.version++;
}

/** Only here a tool's input is parsed: before, it is half a JSON text, and at a cut it may stay one. */
function stopBlock(block, now) {
  if (!block || block.done) return;
  block.done = true;
  block.endedAt = now;
  block.version++;
  if (block.kind !== 'tool' || block.input !== undefined) return;
  try {
    block.input = block.json === '' ? {} : JSON.parse(block.json);
  } catch {
    block.valid = false;
  }
}

/** The blocks in the order in which they are to be read. */
export function blocksOf(answer) {
  return [...answer.blocks.values()].sort((a, b) => a.index - b.index);
}

/** The answer itself, without thinking and tools. */
export function textOf(answer) {
  return blocksOf(answer)
    .filter((block) => block.kind === 'text')
    .map((block) => block.text)
    .join('');
}

/**
 * Neighbouring text blocks belong to one text: an answer with citations comes as many of them, often
 * cut in the middle of a sentence. Each other block stands alone. Empty texts vanish.
 */
export function groupsOf(answer) {
  const groups = [];
  for (const block of blocksOf(answer)) {
    if (block.kind === 'text' && block.text === '') continue;
    const last = groups.at(-1);
    if (block.kind === 'text' && last?.kind === 'text') last.blocks.push(block);
    else groups.push({ kind: block.kind, key: `${block.kind}-${block.index}`, blocks: [block] });
  }
  return groups;
}
