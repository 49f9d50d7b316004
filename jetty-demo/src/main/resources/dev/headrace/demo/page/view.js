/** One turn on the page: the question, the answer as it grows, and how it ended. */
import { textOf } from './answer.js';
import { createBlockView } from './blocks.js';
import { copyButton, h, icon } from './dom.js';
import { duration, explain } from './problems.js';
import { statsOf, statsRow } from './stats.js';

const SILENCE_SECONDS = 8; // after that a reader wonders whether anything still comes

export class TurnView {
  #content = h('div', { class: 'content' });
  #live = h('p', { class: 'live' });
  #liveText = h('span', {});
  #model = h('span', { class: 'muted' });
  #stats = h('ul', { class: 'stats', 'aria-label': 'Numbers of this answer' });
  #foot = h('div', { class: 'foot' });
  #views = []; // one per block: {view, version}
  #article;
  #settings;
  #timer = null;
  #countdown = null;

  /**
   * @param {string} prompt
   * @param {object} settings `simulated`, `announce(text)`, `onRetry()`, `onContinue()`
   */
  constructor(prompt, settings) {
    this.#settings = settings;
    this.#live.append(h('span', { class: 'flow', 'aria-hidden': 'true' }), this.#liveText);
    this.#article = h(
      'article',
      { class: 'answer', 'aria-label': 'Answer', 'aria-busy': 'true' },
      h('h2', { class: 'who' }, 'Claude', this.#model),
      this.#content,
      this.#live,
    );
    this.element = h(
      'section',
      { class: 'turn' },
      h('article', { class: 'question' }, h('h2', { class: 'visually-hidden' }, 'You'), h('p', {}, prompt)),
      this.#article,
    );
  }

  /** Empties the answer and shows that one is awaited. */
  start(answer) {
    clearInterval(this.#countdown);
    this.#views = [];
    this.#content.replaceChildren();
    this.#foot.remove();
    this.#foot.replaceChildren();
    this.#stats.replaceChildren();
    this.#article.setAttribute('aria-busy', 'true');
    this.#live.hidden = false;
    const tick = () => this.#tick(answer);
    tick();
    this.#timer = setInterval(tick, 1000);
  }

  /** Brings the page to the state of the answer; does only what changed. */
  render(answer, live = true) {
    answer.blocks.forEach((block, position) => {
      const entry = (this.#views[position] ??= this.#addView(block));
      if (entry.version !== block.version || !live) {
        entry.version = block.version;
        entry.view.update(block, live);
      }
    });
    this.#article.classList.toggle('writing', live && answer.blocks.at(-1)?.kind === 'text');
    if (answer.model) this.#model.textContent = answer.model;
    if (answer.blocks.length > 0 && live) this.#tick(answer);
  }

  #addView({ kind }) {
    const view = createBlockView(kind, this.#settings.announce);
    this.#content.append(view.element);
    return { view, version: -1 };
  }

  /** Greys out what would ask again; a fieldset, since a countdown has its own say about its button. */
  hold(held) {
    for (const actions of this.#foot.querySelectorAll('fieldset')) actions.disabled = held;
  }

  /** Shows how it ended. Returns what a screen reader should hear. */
  finish(answer, outcome) {
    clearInterval(this.#timer);
    this.#live.hidden = true;
    try {
      this.render(answer, false);
    } catch (failure) {
      reportError(failure); // whoever reads still has to learn how it ended, and to copy it
    }
    this.#article.removeAttribute('aria-busy');
    const text = textOf(answer);
    const explained = explain(outcome, answer, text.trim() !== '');
    const stats = statsOf(answer);
    this.#stats.replaceChildren(
      ...statsRow(stats, this.#settings.simulated).map(({ value, unit, hint }) =>
        h('li', { title: hint }, h('b', {}, value), unit ? ` ${unit}` : null),
      ),
    );
    if (explained) this.#foot.append(this.#notice(explained, outcome));
    const tools = h('div', { class: 'tools' });
    if (this.#stats.childElementCount > 0) tools.append(this.#stats);
    if (text.trim() !== '') tools.append(copyButton('Copy answer', () => textOf(answer), this.#settings.announce));
    tools.append(this.#details(answer, outcome));
    this.#foot.append(tools);
    this.#article.append(this.#foot);
    const tokens = stats.outputTokens === null ? '' : `, ${stats.outputTokens} tokens`;
    return explained ? `${explained.title}. ${explained.text}` : `Answer finished${tokens}`;
  }

  #tick(answer) {
    const now = performance.now();
    const since = Math.floor((now - (answer.lastEventAt ?? answer.startedAt)) / 1000);
    const begun = answer.firstTokenAt !== null;
    const waited = Math.floor((now - answer.startedAt) / 1000);
    this.#live.classList.toggle('silent', begun && since < SILENCE_SECONDS);
    if (!begun) this.#say(waited < 2 ? 'Waiting for Claude' : `Waiting for Claude · ${duration(waited)}`);
    else if (since >= SILENCE_SECONDS) this.#say(`Nothing new for ${duration(since)}. Esc stops.`);
  }

  #say(text) {
    if (this.#liveText.textContent !== text) this.#liveText.textContent = text;
  }

  #notice({ tone, title, text, said, action, retryAfterSeconds }) {
    const actions = h('fieldset', { class: 'actions' });
    if (action === 'retry') actions.append(this.#retryButton(retryAfterSeconds));
    if (action === 'continue') {
      actions.append(h('button', { type: 'button', class: 'button', onclick: this.#settings.onContinue }, 'Continue'));
    }
    return h(
      'div',
      { class: 'notice', 'data-tone': tone },
      icon(tone === 'error' ? 'alert' : 'info'),
      h(
        'div',
        {},
        h('p', { class: 'notice-title' }, title),
        text ? h('p', {}, text) : null,
        said ? h('p', { class: 'said' }, 'The server says: ', h('q', {}, said)) : null,
        actions.childElementCount > 0 ? actions : null,
      ),
    );
  }

  /** Counts down where the server said how long to wait; only eyes follow it, ears got the text once. */
  #retryButton(seconds) {
    const button = h('button', { type: 'button', class: 'button', onclick: this.#settings.onRetry }, 'Retry');
    if (seconds === null || seconds <= 0) return button;
    const until = performance.now() + seconds * 1000;
    const show = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      button.disabled = left > 0;
      button.textContent = left > 0 ? `Retry in ${duration(left)}` : 'Retry';
      if (left <= 0) clearInterval(this.#countdown);
    };
    show();
    this.#countdown = setInterval(show, 250);
    return button;
  }

  #details(answer, outcome) {
    const rows = [
      ['Model', answer.model],
      ['Message', answer.id],
      ['Stop reason', answer.stopReason],
      ['HTTP status', outcome.error?.status],
      ['Error type', outcome.error?.type],
      ['What broke', outcome.error?.cause],
      ['Usage', answer.usage && JSON.stringify(answer.usage)],
    ].filter(([, value]) => value !== null && value !== undefined && value !== '');
    const list = h('dl', {});
    if (outcome.requestId) {
      list.append(
        h('dt', {}, 'Request id'),
        h('dd', {}, h('code', {}, outcome.requestId), copyButton('Copy request id', () => outcome.requestId, this.#settings.announce)),
      );
    }
    for (const [name, value] of rows) list.append(h('dt', {}, name), h('dd', {}, h('code', {}, String(value))));
    if (list.childElementCount === 0) return '';
    const details = h('details', { class: 'more' }, h('summary', {}, 'Details'), list);
    details.addEventListener('toggle', () => details.open && details.scrollIntoView({ block: 'nearest' }));
    return details;
  }
}
