/**
 * Shows a growing Markdown text. Only the last paragraphs change while a text grows, so only
 * they are rendered again; what stands above stays the same elements, with its selection and focus.
 * The exception are links like `[docs][1]`, whose address may come at the end of the text.
 *
 * HTML in the text is shown, not obeyed; DOMPurify checks the result nevertheless. Pictures become
 * links, because this page loads nothing from elsewhere. What the parser cannot take is plain text.
 */
import { Lexer, Marked } from '/webjars/marked/lib/marked.esm.js';
import DOMPurify from '/webjars/dompurify/dist/purify.es.mjs';
import { copyButton, h } from './dom.js';

const escapeHtml = (text) =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]);

const marked = new Marked({
  gfm: true,
  breaks: false,
  renderer: {
    html: ({ text }) => escapeHtml(text),
    // The lexer takes what follows a <code> or <script> for HTML, to the end of the text if it is not closed.
    text(token) {
      token.escaped = false;
      return false; // as usual
    },
    image: ({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`,
    // Below the headings of the page itself.
    heading({ tokens, depth }) {
      const level = Math.min(6, depth + 2);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
  },
});

const SAFE = {
  ALLOWED_TAGS: [
    ...['a', 'b', 'blockquote', 'br', 'code', 'del', 'em', 'h3', 'h4', 'h5', 'h6', 'hr', 'input', 'li', 'ol'],
    ...['p', 'pre', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'],
  ],
  ALLOWED_ATTR: ['align', 'checked', 'class', 'disabled', 'href', 'start', 'title', 'type'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ADD_URI_SAFE_ATTR: ['align', 'checked', 'disabled', 'start', 'type'], // no addresses, so not judged as such
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

const PLAIN = 'plain'; // no type of the lexer: a piece that is shown as it was written
const mayHaveLinks = ({ type, raw }) => type !== 'code' && type !== PLAIN && raw.includes('[');
const AT_TOP = { inLink: false, inRawBlock: false, top: true }; // how a lexer begins

/**
 * As `marked.lexer`, but takes every text. The lexer calls itself for what stands inside, and a few thousand quotes or
 * lists in each other are more than the stack holds. Such a piece stays plain up to the next empty line.
 */
function tokensOf(text) {
  const lexer = new Lexer(marked.defaults);
  const source = text.replace(/\r\n?/g, '\n'); // or positions would not fit those of the lexer
  for (let at = 0; at < source.length; ) at = readBlocks(lexer, source, at);
  for (const { src, tokens } of lexer.inlineQueue) readInline(lexer, src, tokens);
  return lexer.tokens;
}

/** Reads on from a position; gives the one after what was read. */
function readBlocks(lexer, source, at) {
  try {
    lexer.blockTokens(source.slice(at), lexer.tokens);
    return source.length;
  } catch {
    const start = endOf(lexer.tokens, source); // the blocks before the piece are complete
    const gap = source.indexOf('\n\n', start + 1);
    const end = gap < 0 ? source.length : gap;
    lexer.tokens.push({ type: PLAIN, raw: source.slice(start, end) });
    lexer.state = { ...AT_TOP };
    return end;
  }
}

/** Searches rather than adds up: the lexer gives no token for an address that was already given. */
function endOf(tokens, source) {
  return tokens.reduce((at, { raw }) => Math.max(at, source.indexOf(raw, at)) + raw.length, 0);
}

function readInline(lexer, src, tokens) {
  lexer.state = { ...AT_TOP }; // whatever was opened before and never closed
  try {
    lexer.inlineTokens(src, tokens);
  } catch {
    tokens.splice(0, tokens.length, { type: 'text', raw: src, text: src });
  }
}

/** Null if the parser or the check of its result fails. */
function fragmentOf(token, links) {
  try {
    return DOMPurify.sanitize(marked.parser(Object.assign([token], { links })), SAFE);
  } catch {
    return null;
  }
}

export class MarkdownView {
  element = h('div', { class: 'markdown' });
  #parts = []; // one per top-level token: {type, raw, lang, nodes, code}
  #links = '{}'; // the addresses that the parts were rendered with
  #announce;

  /** @param {(text: string) => void} announce tells a screen reader */
  constructor(announce) {
    this.#announce = announce;
  }

  update(text) {
    const tokens = tokensOf(text);
    let same = 0;
    while (same < tokens.length && tokens[same].raw === this.#parts[same]?.raw) same++;
    const links = JSON.stringify(tokens.links);
    if (links !== this.#links) {
      this.#links = links;
      for (let i = 0; i < same; i++) if (mayHaveLinks(tokens[i])) this.#replace(i, tokens);
    }
    const open = this.#parts[same];
    const growing = tokens[same];
    if (open?.code && growing?.type === 'code' && open.lang === (growing.lang ?? '')) {
      // A code block that is being written keeps its element: it may be scrolled sideways.
      open.code.textContent = growing.text;
      open.raw = growing.raw;
      same++;
    }
    for (const { nodes } of this.#parts.splice(same)) nodes.forEach((node) => node.remove());
    for (const token of tokens.slice(same)) {
      const part = this.#part(token, tokens.links);
      this.#parts.push(part);
      this.element.append(...part.nodes);
    }
  }

  #replace(i, tokens) {
    const { nodes } = this.#parts[i];
    this.#parts[i] = this.#part(tokens[i], tokens.links);
    nodes[0]?.before(...this.#parts[i].nodes);
    nodes.forEach((node) => node.remove());
  }

  #part(token, links) {
    if (token.type === 'code') return this.#codePart(token);
    const fragment = token.type === PLAIN ? null : fragmentOf(token, links);
    if (fragment === null) return { type: PLAIN, raw: token.raw, nodes: [h('p', { class: 'plain' }, token.raw.trimEnd())] };
    this.#finish(fragment);
    return { type: token.type, raw: token.raw, nodes: [...fragment.childNodes] };
  }

  #codePart(token) {
    const code = h('code', {}, token.text);
    const language = (token.lang ?? '').split(/\s/)[0];
    const block = h(
      'div',
      { class: 'code' },
      h('div', { class: 'code-head' }, h('span', {}, language || 'code'), copyButton('Copy code', () => code.textContent, this.#announce)),
      h('pre', { tabindex: '0', 'aria-label': language ? `Code, ${language}` : 'Code' }, code),
    );
    return { type: 'code', raw: token.raw, lang: token.lang ?? '', nodes: [block], code };
  }

  #finish(fragment) {
    for (const link of fragment.querySelectorAll('a')) {
      if (!link.hasAttribute('href')) {
        link.replaceWith(...link.childNodes); // its address was not safe
        continue;
      }
      link.target = '_blank';
      link.rel = 'noopener noreferrer';
    }
    for (const table of fragment.querySelectorAll('table')) {
      const scroller = h('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Table' });
      table.replaceWith(scroller);
      scroller.append(table);
    }
    for (const pre of fragment.querySelectorAll('pre')) pre.tabIndex = 0; // code inside a list
  }
}
