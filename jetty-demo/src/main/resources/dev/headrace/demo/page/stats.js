/** Numbers about one answer. What is not known is null and is not shown; nothing is guessed. */

/** @param {object} answer */
export function statsOf(answer) {
  const { usage, startedAt, firstTokenAt, begunAt, lastEventAt } = answer;
  const outputTokens = usage?.outputTokens ?? null;
  const seconds = begunAt === null ? 0 : (lastEventAt - begunAt) / 1000;
  return {
    firstTokenSeconds: firstTokenAt === null ? null : (firstTokenAt - startedAt) / 1000,
    // Below that the clock of the browser says more than the model does.
    tokensPerSecond: outputTokens === null || seconds < 0.05 ? null : outputTokens / seconds,
    inputTokens: usage === null || usage.inputTokens === null ? null : usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
    cachedTokens: usage?.cacheReadTokens ?? 0,
    outputTokens,
    /** Undefined if there is no usage, null if the gateway has no price for it. */
    costUsd: usage?.costUsd,
  };
}

/** What the row under an answer says, in order; `hint` is the longer form. */
export function statsRow(stats, simulated = false) {
  const row = [];
  const add = (value, unit, hint) => row.push({ value, unit, hint });
  if (stats.firstTokenSeconds !== null) add(seconds(stats.firstTokenSeconds), 'to first token', 'Time to first token');
  if (stats.tokensPerSecond !== null) {
    add(number(Math.round(stats.tokensPerSecond)), 'tokens/s', 'Output tokens per second, from the first event to the end');
  }
  if (stats.inputTokens !== null) {
    const cached = stats.cachedTokens > 0 ? `, ${number(stats.cachedTokens)} of them from the cache` : '';
    add(number(stats.inputTokens), 'in', `${number(stats.inputTokens)} input tokens${cached}`);
  }
  if (stats.outputTokens !== null) {
    add(number(stats.outputTokens), 'out', `${number(stats.outputTokens)} output tokens`);
  }
  if (stats.costUsd === null) add('unknown', 'cost', 'The gateway knows no price for this');
  else if (stats.costUsd !== undefined) {
    add(usd(stats.costUsd), simulated ? 'if it were real' : '', 'Cost in US dollars, from the price table of the gateway');
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
