/** A scripted gateway on a free port, and the events of an answer as it writes them. */
import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * @param {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => unknown} answer
 * @returns {Promise<{origin: string, seen: object[], close: () => Promise<void>}>} `seen` has one entry for each request:
 *   `{method, url, headers, body, gone}`, of which `gone()` waits for the connection's end
 */
export async function gateway(answer) {
  const seen = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { method, url, headers, socket } = request;
    const gone = async () => socket.destroyed || once(socket, 'close', { signal: AbortSignal.timeout(10_000) });
    seen.push({ method, url, headers, body: JSON.parse(body || 'null'), gone });
    await answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    seen,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export const event = (name, data) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
export const start = event('start', { id: 'msg_1', model: 'claude-sonnet-5-5' });
export const text = (words) => event('text', { text: words });
export const usage = (more = {}) =>
  event('usage', { input_tokens: 14, output_tokens: 12, cache_read_tokens: 3, cache_write_tokens: 2, cost_usd: 0.000153, ...more });
export const done = event('done', { stop_reason: 'end_turn' });
export const whole = [start, text('Grüße'), text(' aus Köln! 👋'), usage(), done];

/** Claude's own event, padded like those of the API. */
export const claude = (data) => `event: ${data.type}\ndata: ${JSON.stringify(data).slice(0, -1)}   }\n\n`;

export const streamHead = { 'content-type': 'text/event-stream;charset=utf-8', 'request-id': 'req_head' };

/** Sends these pieces, each on its own, and ends the answer. */
export const sending =
  (pieces, head = streamHead, status = 200) =>
  (_, response) => {
    response.writeHead(status, head);
    for (const piece of pieces) response.write(piece);
    response.end();
  };

/** Sends these pieces and then nothing, with the connection left open. */
export const stalling =
  (pieces, head = streamHead) =>
  (_, response) => {
    response.writeHead(200, head);
    response.flushHeaders();
    for (const piece of pieces) response.write(piece);
  };

/** A `fetch` that answers with these chunks of bytes. */
export const fetching =
  (chunks, { headers = streamHead, status = 200 } = {}) =>
  async () =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk);
          controller.close();
        },
      }),
      { status, headers },
    );

export const bytes = (words) => new TextEncoder().encode(words);
