/** Three small helpers; everything on the page is built as elements, never as HTML text. */

/** `h('a', {href: '/x', class: 'y', onclick: f}, 'text', otherElement)`; null children are skipped. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** One of the drawings in icons.svg; hidden from screen readers, the button around it has a label. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** A button that copies, and says so for a moment. `text` is asked only when it is pressed. */
export function copyButton(label, text, announce) {
  const word = h('span', {}, 'Copy');
  const button = h('button', { type: 'button', class: 'quiet', 'aria-label': label }, icon('copy'), word);
  button.addEventListener('click', async () => {
    let done = 'Copied';
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      done = 'Not allowed'; // no clipboard without https or localhost
    }
    word.textContent = done;
    announce(done);
    setTimeout(() => (word.textContent = 'Copy'), 1600);
  });
  return button;
}
