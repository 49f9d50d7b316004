/** Numbers about one answer. What is not known is null and is not shown; nothing is guessed. */

/**
 * @param {object} answer
 * @param {Array<{id: string, price?: object}>} models with prices in USD per million tokens
 */
export function statsOf(answer, models = []) {
  const { usage, startedAt, firstTokenAt, firstBlockAt, lastEventAt } = answer;
  const outputTokens = usage.output_tokens ?? null;
  // Such a refusal counts tokens but is not billed.
  const refusedAtOnce = answer.stopReason === 'refusal' && firstTokenAt === null;
  const seconds = firstBlockAt === null ? 0 : (lastEventAt - firstBlockAt) / 1000;
  return {
    firstTokenSeconds: firstTokenAt === null ? null : (firstTokenAt - startedAt) / 1000,
    // Below that the clock of the browser says more than the model does.
    tokensPerSecond: outputTokens === null || seconds < 0.05 ? null : outputTokens / seconds,
    inputTokens: 'input_tokens' in usage ? sum(usage, INPUT_CLASSES) : null,
    cachedTokens: usage.cache_read_input_tokens ?? 0,
    outputTokens,
    thinkingTokens: usage.output_tokens_details?.thinking_tokens ?? 0,
    costUsd: outputTokens === null || refusedAtOnce ? null : costOf(usage, priceFor(answer.model, models)),
  };
}

const INPUT_CLASSES = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'];

function sum(usage, names) {
  return names.reduce((total, name) => total + (usage[name] ?? 0), 0);
}

/** The exact id first, then without its date: an alias may have been resolved to a dated model. */
function priceFor(model, models) {
  if (!model) return null;
  const undated = model.replace(/-\d{8}$/, '');
  const found = models.find(({ id }) => id === model) ?? models.find(({ id }) => id === undated);
  return found?.price ?? null;
}

/** Null when any price that is needed is missing, or when a rule applies that this page does not know. */
export function costOf(usage, price) {
  if (!price || usage.iterations || (usage.service_tier ?? 'standard') !== 'standard') return null;
  const written = usage.cache_creation_input_tokens ?? 0;
  const writtenForAnHour = Math.min(written, usage.cache_creation?.ephemeral_1h_input_tokens ?? 0);
  const parts = [
    [usage.input_tokens ?? 0, price.input],
    [written - writtenForAnHour, price.cacheWrite5m],
    [writtenForAnHour, price.cacheWrite1h],
    [usage.cache_read_input_tokens ?? 0, price.cacheRead],
    [usage.output_tokens ?? 0, price.output],
  ];
  if (parts.some(([tokens, perMillion]) => tokens > 0 && typeof perMillion !== 'number')) return null;
  let cost = parts.reduce((total, [tokens, perMillion]) => total + (tokens * (perMillion ?? 0)) / 1e6, 0);
  if (usage.speed === 'fast') cost *= 2;
  if (usage.inference_geo === 'us') cost *= 1.1;
  return cost + (usage.server_tool_use?.web_search_requests ?? 0) * 0.01;
}

/** What the row under an answer says, in order; `hint` is the longer form. */
export function statsRow(stats, simulated = false) {
  const row = [];
  const add = (value, unit, hint) => row.push({ value, unit, hint });
  if (stats.firstTokenSeconds !== null) add(seconds(stats.firstTokenSeconds), 'to first token', 'Time to first token');
  if (stats.tokensPerSecond !== null) {
    add(number(Math.round(stats.tokensPerSecond)), 'tokens/s', 'Output tokens per second, from the first block to the end');
  }
  if (stats.inputTokens !== null) {
    const cached = stats.cachedTokens > 0 ? `, ${number(stats.cachedTokens)} of them from the cache` : '';
    add(number(stats.inputTokens), 'in', `${number(stats.inputTokens)} input tokens${cached}`);
  }
  if (stats.outputTokens !== null) {
    const thought = stats.thinkingTokens > 0 ? `, ${number(stats.thinkingTokens)} of them for thinking` : '';
    add(number(stats.outputTokens), 'out', `${number(stats.outputTokens)} output tokens${thought}`);
  }
  if (stats.costUsd !== null) {
    add(usd(stats.costUsd), simulated ? 'if it were real' : '', 'Cost in US dollars, from the price table of the server');
  }
  return row;
}

export function number(value) {
  return value.toLocaleString('en-US');
}

function seconds(value) {
  return value < 10 ? `${value.toFixed(2)} s` : `${value.toFixed(1)} s`;
}

function usd(value) {
  if (value === 0) return '$0';
  return value < 0.01 ? `$${Number(value.toPrecision(2)).toFixed(6).replace(/0+$/, '')}` : `$${value.toFixed(value < 1 ? 3 : 2)}`;
}
