/**
 * One small view per kind of block. Each has an `element` and an `update(group, live)`, which
 * is called at most once per animation frame and only when something changed.
 */
import { h, httpsUrl, icon, outsideLink } from './dom.js';
import { citationMark, MarkdownView, withoutMarks } from './markdown.js';

export function createBlockView(group, sources, announce) {
  switch (group.kind) {
    case 'text':
      return new TextView(sources, announce);
    case 'thinking':
      return new ThinkingView();
    case 'tool':
      return new ToolView();
    case 'search':
      return new SearchView();
    case 'result':
      return new ResultView();
    default:
      return new CompactionView();
  }
}

/** A longer text would stall the page; whoever wants all of it copies it. */
const LONGEST_SHOWN = 500_000;

/** Text blocks that stand together, with their citations as small numbers. */
class TextView {
  #sources;
  #markdown;
  #cut = h('p', { class: 'muted', hidden: true }, 'The rest is too long for this page. “Copy” under the answer gives all of it.');

  constructor(sources, announce) {
    this.#sources = sources;
    this.#markdown = new MarkdownView((number) => sources.mark(number), announce);
    this.#markdown.element.classList.add('answer-text');
    this.element = h('div', {}, this.#markdown.element, this.#cut);
  }

  update({ blocks }) {
    let room = LONGEST_SHOWN;
    let text = '';
    for (const block of blocks) {
      text += withoutMarks(block.text.slice(0, room)) + this.#sources.add(block.citations).map(citationMark).join('');
      room = Math.max(0, room - block.text.length);
    }
    if (this.#cut.hidden || room > 0) this.#markdown.update(text);
    this.#cut.hidden = room > 0;
  }
}

/** The list of what an answer cites; one number per source, however often it is cited. */
export class Sources {
  element = h('section', { class: 'sources', hidden: true }, h('h3', {}, 'Sources'));
  #list = h('ol');
  #byKey = new Map();

  constructor() {
    this.element.append(this.#list);
  }

  /** The numbers of these citations, without repetitions. */
  add(citations) {
    const numbers = citations.map((citation) => {
      const title = citation.title ?? citation.document_title ?? citation.source ?? 'Document';
      const key = citation.url ?? `${title}#${citation.document_index ?? ''}`;
      let source = this.#byKey.get(key);
      if (!source) {
        source = { number: this.#byKey.size + 1, title, url: httpsUrl(citation.url ?? '') };
        this.#byKey.set(key, source);
        this.#list.append(h('li', {}, source.url ? outsideLink(source.url, title) : title));
        this.element.hidden = false;
      }
      return source.number;
    });
    return [...new Set(numbers)];
  }

  mark(number) {
    const source = [...this.#byKey.values()][number - 1];
    if (!source) return null;
    const label = `Source ${number}: ${source.title}`;
    const mark = source.url ? outsideLink(source.url, String(number)) : h('span', {}, String(number));
    mark.setAttribute('aria-label', label);
    mark.title = label;
    return h('sup', { class: 'citation' }, mark);
  }
}

/** Open while Claude thinks, closed when the answer begins, unless the reader has chosen otherwise. */
class ThinkingView {
  #title = h('span', {});
  #body = h('div', { class: 'thinking-text' });
  #touched = false;

  constructor() {
    const summary = h('summary', {}, icon('thinking'), this.#title, icon('chevron'));
    summary.addEventListener('click', () => (this.#touched = true));
    this.element = h('details', { class: 'panel thinking' }, summary, this.#body);
  }

  update({ blocks: [block] }, live) {
    const thinking = live && !block.done;
    this.element.classList.toggle('busy', thinking);
    this.#title.textContent = this.#words(block, thinking);
    if (block.redacted) this.#body.textContent = 'This part of the thinking came encrypted and cannot be shown.';
    else this.#body.textContent = block.text || 'This model keeps its thinking to itself.';
    if (!this.#touched) this.element.open = thinking && block.text !== '';
  }

  #words(block, thinking) {
    if (thinking) return 'Thinking…';
    if (block.redacted) return 'Thinking, hidden for safety';
    if (!block.done) return 'Thinking, cut off';
    const seconds = Math.round((block.endedAt - block.startedAt) / 1000);
    return seconds < 1 ? 'Thought for a moment' : `Thought for ${seconds} s`;
  }
}

/** A tool call: its name and, as it is written, its input. */
class ToolView {
  #name = h('code', {});
  #state = h('span', { class: 'muted' });
  #input = h('pre', { tabindex: '0', 'aria-label': 'Input of the tool' });

  constructor() {
    this.element = h(
      'section',
      { class: 'panel tool' },
      h('div', { class: 'panel-head' }, icon('tool'), h('span', {}, 'Tool ', this.#name), this.#state),
      this.#input,
    );
  }

  update({ blocks: [block] }, live) {
    this.#name.textContent = block.name;
    this.element.setAttribute('aria-label', `Tool ${block.name}`);
    this.element.classList.toggle('busy', live && !block.done);
    this.#state.textContent = this.#words(block, live);
    const known = block.valid && block.input !== undefined;
    this.#input.textContent = known ? JSON.stringify(block.input, null, 2) : block.json;
    this.#input.hidden = this.#input.textContent === '' || this.#input.textContent === '{}';
  }

  #words(block, live) {
    if (!block.done) return live ? 'writing the input…' : 'input cut off';
    if (!block.valid) return 'input is not valid JSON';
    if (block.origin === 'server') return 'runs at Anthropic';
    if (block.origin === 'mcp') return block.server ? `runs on ${block.server}` : 'runs on an MCP server';
    return 'requested';
  }
}

/** Search results as links; only https, the rest is shown as text. */
class SearchView {
  element = h('section', { class: 'panel search', 'aria-label': 'Search results' });

  update({ blocks: [block] }) {
    const count = block.results.length;
    const title = block.error ? `Search failed: ${block.error.replaceAll('_', ' ')}` : `${count} search result${count === 1 ? '' : 's'}`;
    this.element.replaceChildren(h('div', { class: 'panel-head' }, icon('search'), h('span', {}, title)));
    if (count > 0) this.element.append(h('ul', {}, ...block.results.map((result) => this.#result(result))));
  }

  #result({ title, url, page_age: age }) {
    const address = httpsUrl(url ?? '');
    const words = title || url || 'Untitled';
    const where = [address ? new URL(address).hostname : url, age].filter(Boolean).join(' · ');
    return h('li', {}, address ? outsideLink(address, words) : words, h('span', { class: 'muted' }, where));
  }
}

/** The result of any other tool, folded away. */
class ResultView {
  #title = h('span', {});
  #body = h('pre', { tabindex: '0', 'aria-label': 'Result of the tool' });
  element = h('details', { class: 'panel' }, h('summary', {}, icon('tool'), this.#title, icon('chevron')), this.#body);

  update({ blocks: [block] }) {
    this.#title.textContent = `Result of ${block.name.replaceAll('_', ' ')}`;
    this.#body.textContent = JSON.stringify(block.content, null, 2);
  }
}

class CompactionView {
  element = h('p', { class: 'muted' }, 'Claude summed up the conversation so far to make room.');

  update() {}
}
