/** Never runs: `npm run types` checks that headrace.d.ts allows what works and refuses what does not. */
import { HeadraceError, stream, type Answer, type Tool } from '../../main/resources/META-INF/resources/headrace/headrace.js';

const body = { messages: [{ role: 'user', content: 'Hello!' }] };

export async function awaited(output: HTMLElement): Promise<number | null> {
  const stop = new AbortController();
  try {
    const answer: Answer = await stream({
      url: 'claude/chat/support',
      body,
      signal: stop.signal,
      csrf: true,
      thinking: true,
      headers: { 'x-own': '1' },
      onText: (text) => output.append(text),
      onTool: async ({ name, input, inputText }: Tool) => console.log(name, input, inputText?.length),
    });
    return answer.usage?.costUsd ?? null;
  } catch (error) {
    if (error instanceof HeadraceError && error.retryable) setTimeout(() => stop.abort(), error.retryAfterMs ?? 0);
    if (error instanceof HeadraceError) output.append(error.type, error.partial, error.requestId ?? '');
    return null;
  }
}

export async function looped(): Promise<string> {
  let text = '';
  for await (const event of stream({ url: new URL('https://host.example/claude/v1/messages'), body, format: null })) {
    switch (event.type) {
      case 'text':
      case 'thinking':
        text += event.text;
        break;
      case 'tool':
        text += event.name;
        break;
      case 'usage':
        text += event.outputTokens?.toFixed() ?? '?';
        break;
      case 'start':
        text += event.model;
        break;
      case 'done':
        text += event.stopReason;
        break;
      default:
        event satisfies never;
    }
  }
  return text;
}

export function legacy(): void {
  globalThis.headrace
    .stream({ url: 'claude/v1/messages', body, csrf: { header: 'X-CSRF-TOKEN', token: 't' }, onDone: ({ text }) => alert(text) })
    .catch((error) => (error instanceof headrace.HeadraceError ? alert(error.message) : undefined))
    .finally(() => {});
}

// @ts-expect-error the address is needed
stream({ body });
// @ts-expect-error no such format
stream({ url: 'c', body, format: 'html' });
// @ts-expect-error only streams make them
new HeadraceError('mine');
