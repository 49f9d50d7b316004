/** The page: what the user does, and which part takes care of it. */
import { stream } from './headrace/headrace.js';
import { newAnswer } from './answer.js';
import { ask } from './client.js';
import { isRemembered, requestBody } from './conversation.js';
import { h } from './dom.js';
import { stored, storeUnlessUsual } from './stored.js';
import { TurnView } from './view.js';

const $ = (id) => document.getElementById(id);
const page = {
  conversation: $('conversation'),
  turns: $('turns'),
  empty: $('empty'),
  examples: $('examples'),
  composer: $('composer'),
  prompt: $('prompt'),
  send: $('send'),
  stop: $('stop'),
  model: $('model'),
  status: $('status'),
  latest: $('latest'),
  faultsButton: $('faults-button'),
  faults: $('faults'),
  faultList: $('fault-list'),
  settings: $('settings'),
  system: $('system'),
  maxTokens: $('max-tokens'),
};

const NEAR_BOTTOM = 64; // pixels within which a reader counts as being at the end
let config = { simulated: false, models: [], faults: [], prompts: [], maxTokens: 4096 };
let turns = [];
let running = null; // {controller, turn} of the answer that is being written
let following = true; // the reader is at the end and wants to stay there
let lastTop = 0; // where the conversation was scrolled to when it was last looked at

// --- sending and stopping ---

function submit() {
  const prompt = page.prompt.value.trim();
  if (prompt === '' || running || page.send.disabled) return;
  page.prompt.value = '';
  fitPrompt();
  send(prompt);
}

function send(prompt) {
  if (running) return;
  const turn = { prompt, answer: newAnswer(), outcome: null };
  turn.view = new TurnView(prompt, {
    simulated: config.simulated,
    announce,
    onRetry: () => run(turn),
    onContinue: () => send('Please continue exactly where you stopped.'),
  });
  turns.push(turn);
  page.empty.hidden = true;
  page.turns.append(turn.view.element);
  run(turn);
}

async function run(turn) {
  if (running) return;
  const controller = new AbortController();
  running = { controller, turn };
  following = growsAtEnd();
  showRunning(true);
  page.prompt.focus();
  announce('Claude is answering');

  turn.answer = newAnswer(performance.now());
  turn.view.start(turn.answer);
  if (!following) turn.view.element.scrollIntoView();
  follow();
  const painter = new Painter(() => {
    turn.view.render(turn.answer);
    follow();
  });
  const earlier = turns.slice(0, turns.indexOf(turn)).filter(isRemembered);
  try {
    turn.outcome = await ask({
      stream,
      body: requestBody({
        model: page.model.value,
        maxTokens: page.maxTokens.valueAsNumber || config.maxTokens,
        system: page.system.value,
        turns: earlier,
        prompt: turn.prompt,
      }),
      answer: turn.answer,
      signal: controller.signal,
      onChange: () => painter.request(),
    });
  } finally {
    painter.cancel();
    running = null;
    showRunning(false);
  }
  const words = turn.view.finish(turn.answer, turn.outcome);
  if (!turns.includes(turn)) return; // a new conversation has begun
  announce(words);
  follow();
}

/**
 * Draws at most once per frame, however many events came, and for a very long answer less often, so
 * that drawing takes no more than about a fifth of the time.
 */
class Painter {
  #draw;
  #frame = 0;
  #timer = 0;
  #cost = 0;

  constructor(draw) {
    this.#draw = draw;
  }

  request() {
    if (this.#frame || this.#timer) return;
    if (this.#cost < 8) this.#frame = requestAnimationFrame(() => this.#now());
    else {
      this.#timer = setTimeout(() => {
        this.#timer = 0;
        this.#frame = requestAnimationFrame(() => this.#now());
      }, this.#cost * 4);
    }
  }

  cancel() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
  }

  #now() {
    this.#frame = 0;
    const before = performance.now();
    this.#draw();
    this.#cost = performance.now() - before;
  }
}

function stop() {
  if (!running) return;
  running.controller.abort();
  page.prompt.focus();
}

function showRunning(is) {
  if (!is && document.activeElement === page.stop) page.prompt.focus(); // a hidden button would lose the focus
  page.stop.hidden = !is;
  page.send.hidden = is;
  page.composer.classList.toggle('running', is);
  for (const button of page.faultList.querySelectorAll('button')) button.disabled = is;
  for (const { view } of turns) view.hold(is);
}

/** One polite line for screen readers; the answer itself is not announced token by token. */
function announce(text) {
  page.status.textContent = text;
}

// --- following the end of the text ---

function follow() {
  if (following && turns.length > 0) {
    page.conversation.scrollTop = page.conversation.scrollHeight;
    lastTop = page.conversation.scrollTop;
  }
  showLatest();
}

/** An answer that is asked for again may have turns below it; its reader would be led away from it. */
function growsAtEnd() {
  return !running || running.turn === turns.at(-1);
}

function distanceToEnd() {
  const { scrollHeight, scrollTop, clientHeight } = page.conversation;
  return scrollHeight - scrollTop - clientHeight;
}

function showLatest() {
  page.latest.hidden = following || turns.length === 0 || distanceToEnd() < (running ? 1 : NEAR_BOTTOM);
}

/** However small a step upwards is, it is meant. Upwards to the very end is no step: the text became shorter. */
function scrolled() {
  const top = page.conversation.scrollTop;
  const distance = distanceToEnd();
  if (top < lastTop && distance >= 1) following = false;
  if (top > lastTop && distance < NEAR_BOTTOM && growsAtEnd()) following = true;
  lastTop = top;
  showLatest();
}

/** The wheel or the key itself is heard: an end that moves on stops the browser's smooth scrolling before its first step. */
function meantUpwards() {
  if (page.conversation.scrollTop > 0) following = false;
}

page.conversation.addEventListener('scroll', scrolled, { passive: true });
page.conversation.addEventListener('wheel', (event) => event.deltaY < 0 && !event.ctrlKey && meantUpwards(), { passive: true });
// At the document: after a click into the text, keys scroll it though nothing in it has the focus.
document.addEventListener('keydown', (event) => {
  const upwards = ['ArrowUp', 'PageUp', 'Home'].includes(event.key) || (event.key === ' ' && event.shiftKey);
  const elsewhere = event.target.closest('input, textarea, select, button, [role="menu"], dialog');
  if (upwards && !elsewhere && !event.defaultPrevented) meantUpwards();
});
page.latest.addEventListener('click', () => {
  following = true;
  follow();
  page.prompt.focus();
});
// A keyboard that slides in, or a details area that opens, must not hide the end.
new ResizeObserver(follow).observe(page.conversation);

// --- the composer ---

function fitPrompt() {
  page.prompt.style.height = 'auto';
  page.prompt.style.height = `${page.prompt.scrollHeight}px`;
}

/**
 * Whether a key belongs to an input method, which composes a character with it. Safari says so of the
 * Enter that confirms one by the key's number only.
 */
function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

page.prompt.addEventListener('input', fitPrompt);
page.prompt.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
  event.preventDefault();
  submit();
});
page.composer.addEventListener('submit', (event) => {
  event.preventDefault();
  submit();
});
page.stop.addEventListener('click', stop);
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.defaultPrevented || isComposing(event)) return;
  if (page.settings.open) return;
  if (!page.faults.hidden) openFaults(false);
  else stop();
});
$('new').addEventListener('click', () => {
  stop();
  turns = [];
  page.turns.replaceChildren();
  page.empty.hidden = false;
  showLatest();
  announce('New conversation');
  page.prompt.focus();
});

// --- faults ---

function openFaults(open) {
  page.faults.hidden = !open;
  page.faultsButton.setAttribute('aria-expanded', String(open));
  if (open) page.faultList.querySelector('button')?.focus();
  else page.faultsButton.focus();
}

page.faultsButton.addEventListener('click', () => openFaults(page.faults.hidden));
page.faults.addEventListener('keydown', (event) => {
  const buttons = [...page.faultList.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  buttons.at(to % buttons.length)?.focus();
});
document.addEventListener('pointerdown', (event) => {
  if (page.faults.hidden || page.faults.contains(event.target) || page.faultsButton.contains(event.target)) return;
  page.faults.hidden = true;
  page.faultsButton.setAttribute('aria-expanded', 'false');
});

// --- settings and theme ---

$('settings-button').addEventListener('click', () => page.settings.showModal());
$('settings-close').addEventListener('click', () => page.settings.close());
page.settings.addEventListener('close', () => {
  // Done asks for a right number; Close and Esc do not, and a wrong one must not be sent.
  if (!page.maxTokens.validity.valid) page.maxTokens.value = config.maxTokens;
  if (config.system !== undefined) storeUnlessUsual('system', page.system.value, config.system);
  page.prompt.focus();
});
page.model.addEventListener('change', () => stored.set('model', page.model.value));

const dark = matchMedia('(prefers-color-scheme: dark)');
function showTheme() {
  const isDark = (document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';
  const next = isDark ? 'light' : 'dark';
  $('theme').setAttribute('aria-label', `Switch to the ${next} theme`);
  $('theme').title = `Switch to the ${next} theme`;
  return next;
}
$('theme').addEventListener('click', () => {
  const next = showTheme();
  document.documentElement.dataset.theme = next;
  stored.set('theme', next);
  showTheme();
});
dark.addEventListener('change', showTheme);

// --- start ---

function configure(loaded) {
  config = { ...config, ...loaded };
  const known = config.models.map(({ id }) => id);
  page.model.replaceChildren(
    ...config.models.map(({ id, name }) => h('option', { value: id }, name ?? id)),
  );
  page.model.value = known.includes(stored.get('model')) ? stored.get('model') : (config.defaultModel ?? known[0]);
  page.maxTokens.value = config.maxTokens;
  page.system.value = stored.get('system') ?? config.system ?? '';
  $('simulated').hidden = !config.simulated;
  page.examples.replaceChildren(
    ...config.prompts.map(({ title, text }) =>
      h(
        'li',
        {},
        h(
          'button',
          { type: 'button', class: 'example', onclick: () => send(text) },
          h('strong', {}, title ?? text),
          title ? h('span', { class: 'muted' }, text) : null,
        ),
      ),
    ),
  );
  page.faultsButton.hidden = !config.simulated || config.faults.length === 0;
  page.faultList.replaceChildren(
    ...config.faults.flatMap(({ title, commands }) => [h('h2', {}, title), h('ul', {}, ...commands.map(faultButton))]),
  );
}

function faultButton({ word, description, prompt }) {
  const press = () => {
    openFaults(false);
    send(prompt);
  };
  return h('li', {}, h('button', { type: 'button', onclick: press }, h('strong', {}, word), h('span', { class: 'muted' }, description)));
}

async function start() {
  showTheme();
  try {
    const response = await fetch('/demo/config.json', { cache: 'no-store' });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    configure(await response.json());
    page.send.disabled = false;
  } catch (failure) {
    page.empty.querySelector('p').textContent = `The demo server gave no settings (${failure.message}). Reload the page when it runs.`;
  }
  fitPrompt();
  page.prompt.focus();
}

start();
