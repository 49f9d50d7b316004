/**
 * One small view per kind of block. Each has an `element` and an `update(block, live)`, which
 * is called at most once per animation frame and only when something changed.
 */
import { h, icon } from './dom.js';
import { MarkdownView } from './markdown.js';

export function createBlockView(kind, announce) {
  switch (kind) {
    case 'text':
      return new TextView(announce);
    case 'thinking':
      return new ThinkingView();
    default:
      return new ToolView();
  }
}

/** A longer text would stall the page; whoever wants all of it copies it. */
const LONGEST_SHOWN = 500_000;

class TextView {
  #markdown;
  #cut = h('p', { class: 'muted', hidden: true }, 'The rest is too long for this page. “Copy” under the answer gives all of it.');

  constructor(announce) {
    this.#markdown = new MarkdownView(announce);
    this.#markdown.element.classList.add('answer-text');
    this.element = h('div', {}, this.#markdown.element, this.#cut);
  }

  update({ text }) {
    const fits = text.length <= LONGEST_SHOWN;
    if (this.#cut.hidden || fits) this.#markdown.update(text.slice(0, LONGEST_SHOWN));
    this.#cut.hidden = fits;
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

  update(block, live) {
    const thinking = live && !block.done;
    this.element.classList.toggle('busy', thinking);
    this.#title.textContent = this.#words(block, thinking);
    this.#body.textContent = block.text;
    if (!this.#touched) this.element.open = thinking;
  }

  #words(block, thinking) {
    if (thinking) return 'Thinking…';
    if (!block.done) return 'Thinking, cut off';
    const seconds = Math.round((block.endedAt - block.startedAt) / 1000);
    return seconds < 1 ? 'Thought for a moment' : `Thought for ${seconds} s`;
  }
}

/** A tool that Claude asks for: its name and its input. */
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

  update({ name, input, inputText }) {
    this.#name.textContent = name;
    this.element.setAttribute('aria-label', `Tool ${name}`);
    this.#state.textContent = input === undefined ? 'input is not valid JSON' : 'requested';
    this.#input.textContent = input === undefined ? inputText : JSON.stringify(input, null, 2);
    this.#input.hidden = this.#input.textContent === '' || this.#input.textContent === '{}';
  }
}
