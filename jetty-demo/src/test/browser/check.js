/**
 * Checks the page in a real browser: starts the jar, opens the page in headless Chromium, reads,
 * stops, fails, and looks at it on a phone. Writes screenshots to target/screenshots.
 *
 *   npm install && node src/test/browser/check.js          (after mvn package)
 *
 * CHROMIUM names the browser, default /usr/bin/chromium. JAR names the jar.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const module = fileURLToPath(new URL('../../../', import.meta.url));
const jar = process.env.JAR ?? join(module, 'target/headrace-jetty-demo.jar');
const screenshots = join(module, 'target/screenshots');
mkdirSync(screenshots, { recursive: true });

/** Starts the jar on a free port; gives its address when it says so. */
function startDemo() {
  const { ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, HEADRACE_CONFIG, ...environment } = process.env;
  const demo = spawn('java', ['-jar', jar], { env: { ...environment, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] });
  const address = new Promise((resolve, reject) => {
    let output = '';
    demo.stdout.on('data', (data) => {
      output += data;
      const found = /Headrace demo: (http:\S+)/.exec(output);
      if (found) resolve(found[1]);
    });
    demo.on('exit', (code) => reject(new Error(`The demo ended with ${code}: ${output}`)));
    setTimeout(() => reject(new Error(`The demo did not start: ${output}`)), 30_000).unref();
  });
  return { demo, address };
}

const { demo, address } = startDemo();
const profile = mkdtempSync(join(tmpdir(), 'headrace-browser-'));
let browser;
let failures = 0;

try {
  const url = await address;
  const origin = new URL(url).origin;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...['--disable-background-networking', '--disable-component-update', `--disk-cache-dir=${profile}`],
    ],
  });

  const open = async (options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    const page = await context.newPage();
    const troubles = [];
    page.on('console', (message) => {
      // The browser itself logs a failed request; the page shows it, and that is what is checked.
      const expected = message.text().startsWith('Failed to load resource') && message.location().url.includes('/claude/');
      if (['error', 'warning'].includes(message.type()) && !expected) troubles.push(message.text());
    });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== origin) troubles.push(`request to ${request.url()}`);
    });
    await page.goto(url);
    await page.waitForSelector('#send:enabled');
    return { page, troubles, close: () => context.close() };
  };
  const say = async (page, text) => {
    await page.fill('#prompt', text);
    await page.press('#prompt', 'Enter');
  };
  const idle = (page) => page.waitForSelector('#send:not([hidden])', { timeout: 30_000 });
  const answerLength = (page) => page.evaluate(() => document.querySelector('.turn:last-child .answer-text')?.textContent.length ?? 0);
  const lastNotice = (page) => page.locator('.turn:last-child .notice');
  const focused = (page) => page.evaluate(() => document.activeElement.id);
  /** Answers with these words, whatever is asked. */
  const answerWith = (page, text) => {
    const events = { start: { id: 'msg_1', model: 'claude-sonnet-5-5' }, text: { text }, done: { stop_reason: 'end_turn' } };
    const body = Object.entries(events).map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join('');
    return page.route('**/claude/v1/messages?*', (route) => route.fulfill({ contentType: 'text/event-stream', body }));
  };
  const shoot = (page, name) => page.screenshot({ path: join(screenshots, `${name}.png`) });
  const simulator = async () => (await fetch(new URL('/demo/simulator.json', url))).json();
  const eventually = async (what, condition) => {
    const deadline = Date.now() + 10_000;
    while (!(await condition())) {
      assert.ok(Date.now() < deadline, what);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const check = async (title, options, body) => {
    const opened = await open(options);
    try {
      await body(opened.page);
      assert.deepEqual(opened.troubles, [], 'console messages or requests to other hosts');
      console.log(`ok - ${title}`);
    } catch (failure) {
      failures++;
      console.log(`not ok - ${title}\n${failure.stack}`);
      await shoot(opened.page, `failed-${failures}`);
    }
    await opened.close();
  };

  await check('text grows while it is written, as Markdown, and ends with its numbers', {}, async (page) => {
    assert.ok(await page.isVisible('#simulated'), 'the badge says that Claude is simulated');
    await shoot(page, 'desktop-empty');
    await say(page, '/show markdown');
    const lengths = new Set();
    while (await page.isVisible('#stop')) {
      lengths.add(await answerLength(page));
      if (lengths.size === 12) await shoot(page, 'desktop-writing');
      await page.waitForTimeout(30);
    }
    assert.ok(lengths.size >= 4, `different lengths seen: ${[...lengths]}`);
    for (const element of ['h3', 'li', 'pre code', 'table', 'strong']) {
      assert.ok((await page.locator(`.answer-text ${element}`).count()) > 0, element);
    }
    const margin = (selector) => page.evaluate((at) => getComputedStyle(document.querySelector(at)).marginBottom, selector);
    assert.equal(await margin('.answer-text > p:last-child'), '0px', 'the numbers follow close to the text');
    assert.equal(await margin('.answer-text li > ul'), '0px', 'an inner list ends like an entry of the outer one');
    const stats = await page.textContent('.stats');
    assert.match(stats, /s to first token/);
    assert.match(stats, /tokens\/s/);
    assert.match(stats, /\d in.*\d out/s);
    assert.match(stats, /\$\d.* if it were real|unknown cost/s);
    assert.match(await page.textContent('#status'), /^Answer finished, \d+ tokens$/);
    assert.equal(await page.getAttribute('.answer', 'aria-busy'), null);
    await shoot(page, 'desktop-answer');
  });

  await check('a link whose address comes at the end of the text becomes one, and nothing else is rendered again', {}, async (page) => {
    const seen = await page.evaluate(async () => {
      const { MarkdownView } = await import('/markdown.js');
      const view = new MarkdownView(() => {});
      const links = () => [...view.element.querySelectorAll('a')].map((link) => `${link.textContent} ${link.getAttribute('href')}`);
      const text = 'No link.\n\n```js\nf(a[0]);\n```\n\nSee [docs][1].\n\n- and [more]\n\nThe end.\n\n';
      view.update(text);
      const [paragraph, code] = view.element.children;
      const before = links();
      const steps = ['[1]: https://exa', '[1]: https://example.com/\n', '[1]: https://example.com/\n[more]: https://example.org/'].map((end) => {
        view.update(text + end);
        return links();
      });
      const order = [...view.element.children].map((child) => child.localName);
      return { before, steps, order, kept: view.element.children[0] === paragraph && view.element.children[1] === code };
    });
    assert.deepEqual(seen.before, []);
    assert.deepEqual(seen.steps, [
      ['docs https://exa'],
      ['docs https://example.com/'],
      ['docs https://example.com/', 'more https://example.org/'],
    ]);
    assert.deepEqual(seen.order, ['p', 'div', 'p', 'ul', 'p']);
    assert.ok(seen.kept, 'what has no such link stays the same elements');
  });

  await check('what nests too deep for the parser is plain text, and the answer ends as any other', {}, async (page) => {
    // A cold parser gives up before 3000; one that the browser has compiled needs less of the stack.
    const deep = { quotes: '>'.repeat(12_000), lists: '- '.repeat(12_000) + 'x' };
    for (const [what, piece] of Object.entries(deep)) {
      await answerWith(page, `Before **it**.\n\n${piece}\n\nAfter *it*.`);
      await say(page, what);
      await idle(page);
      const turn = page.locator('.turn:last-child');
      const paragraphs = await turn.locator('.answer-text > p').allTextContents();
      assert.deepEqual(paragraphs, ['Before it.', piece, 'After it.'], what);
      assert.equal(await turn.locator('.answer-text > :first-child strong').count(), 1, what);
      assert.equal(await turn.locator('.answer-text > :last-child em').count(), 1, what);
      assert.equal(await page.textContent('#status'), 'Answer finished');
      assert.equal(await turn.locator('.answer').getAttribute('aria-busy'), null);
      assert.ok(await turn.getByRole('button', { name: 'Copy answer' }).isVisible());
      assert.ok(await turn.locator('.more').isVisible());
      await page.unroute('**/claude/v1/messages?*');
    }
    const grown = await page.evaluate(async () => {
      const { MarkdownView } = await import('/markdown.js');
      const view = new MarkdownView(() => {});
      const given = '[docs]: https://example.com/\n\n'.repeat(2); // the lexer keeps the first only
      view.update(`First.\r\n\r\n${given}`);
      const [first] = view.element.children;
      for (let depth = 1000; depth <= 12_000; depth += 1000) view.update(`First.\r\n\r\n${given}${'>'.repeat(depth)}`);
      const plain = view.element.lastElementChild.textContent;
      view.update(`First.\r\n\r\n${given}${'>'.repeat(12_000)}\r\n\r\nThe [docs].`);
      const link = view.element.querySelector('a')?.href;
      return { kept: view.element.firstElementChild === first, plain, last: view.element.lastElementChild.textContent, link };
    });
    assert.deepEqual(grown, { kept: true, plain: '>'.repeat(12_000), last: 'The docs.', link: 'https://example.com/' });
    const inLine = `${'*a '.repeat(5000)}${'a* '.repeat(5000)}`.trim();
    const shown = await page.evaluate(async (emphasis) => {
      const { MarkdownView } = await import('/markdown.js');
      const view = new MarkdownView(() => {});
      view.update(`${emphasis}\n\nAfter *it*.`);
      return { text: view.element.textContent.trim(), emphasised: view.element.querySelector('em').textContent };
    }, inLine);
    assert.deepEqual(shown, { text: `${inLine}\nAfter it.`, emphasised: 'it' });
  });

  await check('HTML is shown as it was written, and what follows it too', {}, async (page) => {
    const seen = await page.evaluate(async () => {
      const { MarkdownView } = await import('/markdown.js');
      const shown = (text) => {
        const view = new MarkdownView(() => {});
        view.update(text);
        return {
          text: view.element.textContent.trim(),
          strong: view.element.querySelectorAll('strong').length,
          links: [...view.element.querySelectorAll('a')].map((link) => link.getAttribute('href')),
        };
      };
      return ['<code>', '<pre>', '<kbd>', '<script>', '<a href="x">'].map((tag) =>
        shown(`The tag ${tag} opens, if a <b c and **bold** <b>too</b>.\n\nThen "x" <i>y</i> and https://example.com/ **again**.`),
      );
    });
    for (const [i, tag] of ['<code>', '<pre>', '<kbd>', '<script>', '<a href="x">'].entries()) {
      const text = `The tag ${tag} opens, if a <b c and bold <b>too</b>.\nThen "x" <i>y</i> and https://example.com/ again.`;
      assert.deepEqual(seen[i], { text, strong: 2, links: ['https://example.com/'] });
    }
  });

  await check('a turn says how it ended though its answer cannot be drawn', {}, async (page) => {
    const seen = await page.evaluate(async () => {
      const { TurnView } = await import('/view.js');
      const { newAnswer } = await import('/answer.js');
      const reported = [];
      addEventListener('error', (event) => {
        event.preventDefault();
        reported.push(event.message);
      });
      const endless = {};
      endless.endless = endless;
      const blocks = [
        { kind: 'text', text: 'The text.', version: 1 },
        { kind: 'tool', name: 'odd', input: endless, version: 1 }, // as JSON it would be endless
      ];
      const view = new TurnView('Question', { simulated: true, announce() {}, onRetry() {}, onContinue() {} });
      document.querySelector('#turns').append(view.element);
      const words = view.finish({ ...newAnswer(0), blocks }, { kind: 'stopped' });
      const count = (selector) => view.element.querySelectorAll(selector).length;
      return { words, notices: count('.notice'), copies: count('[aria-label="Copy answer"]'), busy: count('[aria-busy]'), reported: reported.length };
    });
    const { words, ...counts } = seen;
    assert.match(words, /^Stopped by you/);
    assert.deepEqual(counts, { notices: 1, copies: 1, busy: 0, reported: 1 });
  });

  await check('Stop keeps the text and cancels upstream; the conversation goes on', {}, async (page) => {
    const before = await simulator();
    await say(page, '/show long');
    await page.waitForFunction(() => document.querySelector('.answer-text')?.textContent.length > 40);
    assert.equal(await page.textContent('#status'), 'Claude is answering');
    await page.click('#stop');
    await idle(page);
    const kept = await answerLength(page);
    assert.ok(kept > 40);
    assert.match(await lastNotice(page).textContent(), /Stopped by you/);
    await eventually('the simulator saw the cancel', async () => {
      const now = await simulator();
      return now.clientGone === before.clientGone + 1 && now.openStreams === 0;
    });
    assert.equal(await answerLength(page), kept, 'nothing is added after the stop');
    const [request] = await Promise.all([page.waitForRequest('**/claude/v1/messages?*'), say(page, 'And now?')]);
    const { messages } = request.postDataJSON();
    assert.deepEqual(messages.map(({ role }) => role), ['user', 'assistant', 'user']);
    await idle(page);
    assert.equal(await page.locator('.turn').count(), 2);
  });

  await check('a new conversation says nothing of the answer that it ended', {}, async (page) => {
    await say(page, '/show long');
    await page.waitForFunction(() => document.querySelector('.answer-text')?.textContent.length > 40);
    await page.mouse.move(400, 200);
    await page.mouse.wheel(0, -40);
    await page.click('#new');
    await idle(page);
    await page.waitForTimeout(300);
    assert.equal(await page.textContent('#status'), 'New conversation');
    assert.equal(await page.locator('.turn').count(), 0);
    assert.ok(await page.isVisible('#empty'));
    assert.ok(await page.isHidden('#latest'));
  });

  await check('overload, rate limit and an HTML error page are readable, and Retry asks again', {}, async (page) => {
    await say(page, '/fault overloaded');
    await idle(page);
    assert.match(await lastNotice(page).textContent(), /Claude is overloaded/);
    const [request] = await Promise.all([
      page.waitForRequest('**/claude/v1/messages?*'),
      lastNotice(page).getByRole('button', { name: 'Retry' }).click(),
    ]);
    assert.equal(request.postDataJSON().messages.length, 1);
    await idle(page);
    assert.equal(await page.locator('.turn').count(), 1, 'a retry is no new turn');
    await page.click('.turn:last-child .more summary');
    assert.match(await page.textContent('.more'), /Request id.*req_/s);
    await say(page, '/fault rate-limit 3');
    await idle(page);
    const retry = lastNotice(page).getByRole('button');
    assert.match(await retry.textContent(), /Retry in [1-3] s/);
    await shoot(page, 'desktop-errors');
    await page.waitForFunction(() => document.querySelector('.turn:last-child .notice button')?.textContent === 'Retry', null, { timeout: 8000 });
    assert.ok(await retry.isEnabled());
    await say(page, '/fault html');
    await idle(page);
    assert.match(await lastNotice(page).textContent(), /not available|no usable answer/);
  });

  await check('what breaks in the middle keeps its text and says so', {}, async (page) => {
    for (const [fault, words] of [
      ['error-midway', /Cut off|incomplete/],
      ['clean-end', /Cut off|incomplete/],
      ['cut', /Cut off|incomplete/],
    ]) {
      await say(page, `/fault ${fault}`);
      await idle(page);
      assert.ok((await answerLength(page)) > 20, `${fault}: the text stays`);
      assert.match(await lastNotice(page).textContent(), words, fault);
    }
    await shoot(page, 'desktop-cut');
  });

  await check('thinking, tools and a refusal stand apart from the answer', { colorScheme: 'dark' }, async (page) => {
    await say(page, '/show thinking');
    await idle(page);
    assert.match(await page.textContent('.thinking summary'), /Thought for/);
    assert.equal(await page.evaluate(() => document.querySelector('.thinking').open), false);
    await page.click('.thinking summary');
    assert.ok(await page.isVisible('.thinking-text'));
    await say(page, '/show tool');
    await idle(page);
    assert.match(await page.textContent('.turn:last-child .tool pre'), /^\{\n {2}"location"/);
    await say(page, '/show search');
    await idle(page);
    assert.equal(await page.locator('.turn:last-child .panel').count(), 0, 'a search is run by the API, not asked of a page');
    assert.ok((await answerLength(page)) > 20);
    await shoot(page, 'dark');
    await say(page, '/show refusal');
    await idle(page);
    assert.match(await lastNotice(page).textContent(), /declined/);
  });

  await check('the keyboard is enough', {}, async (page) => {
    assert.equal(await focused(page), 'prompt', 'ready to type');
    await page.keyboard.type('line one');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('/show long');
    assert.equal(await page.inputValue('#prompt'), 'line one\n/show long');
    await page.fill('#prompt', '/show long');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('.answer-text')?.textContent.length > 20);
    await page.keyboard.press('Escape');
    await idle(page);
    assert.match(await lastNotice(page).textContent(), /Stopped by you/);
    assert.equal(await focused(page), 'prompt', 'focus is back');
    await page.keyboard.press('Tab'); // the model
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'faults-button');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    assert.match(await page.evaluate(() => document.activeElement.textContent), /overloaded/);
    await shoot(page, 'desktop-faults');
    await page.keyboard.press('Enter');
    await idle(page);
    assert.match(await lastNotice(page).textContent(), /overloaded/);
    await page.focus('#settings-button');
    await page.keyboard.press('Enter');
    assert.ok(await page.isVisible('#system'));
    await page.fill('#system', 'Be brief.');
    await page.keyboard.press('Escape');
    const [request] = await Promise.all([page.waitForRequest('**/claude/v1/messages?*'), say(page, 'Hello')]);
    assert.equal(request.postDataJSON().system, 'Be brief.');
    await page.focus('#stop');
    await idle(page);
    assert.equal(await focused(page), 'prompt', 'the focus does not vanish with the button');
  });

  await check('the settings take no wrong number', {}, async (page) => {
    const usual = await page.inputValue('#max-tokens');
    const open = () => page.evaluate(() => document.querySelector('#settings').open);
    // The browser tells the page a moment after it has closed the dialog; the focus is the last that the page sets then.
    const closed = () => page.waitForFunction(() => !document.querySelector('#settings').open && document.activeElement.id === 'prompt');
    await page.click('#settings-button');
    await page.fill('#max-tokens', '-5');
    await page.press('#max-tokens', 'Enter');
    await page.waitForTimeout(200);
    assert.ok(await open(), 'Enter asks for a right one');
    await page.click('#settings-close');
    await closed();
    assert.equal(await page.inputValue('#max-tokens'), usual, 'Close leaves it as it was');
    await page.click('#settings-button');
    await page.fill('#max-tokens', '300');
    await page.press('#max-tokens', 'Enter');
    await closed();
    const [request] = await Promise.all([page.waitForRequest('**/claude/v1/messages?*'), say(page, 'Hello')]);
    assert.equal(request.postDataJSON().max_tokens, 300);
    await idle(page);
  });

  await check('without its settings the page sends nothing, and what was typed stays', {}, async (page) => {
    const asked = [];
    page.on('request', (request) => request.url().includes('/claude/') && asked.push(request.url()));
    let give;
    const given = new Promise((resolve) => (give = resolve));
    await page.route('**/demo/config.json', async (route) => {
      await given;
      await route.continue();
    });
    await page.reload();
    await say(page, 'Hello');
    assert.equal(await page.inputValue('#prompt'), 'Hello');
    assert.equal(await page.locator('.turn').count(), 0);
    assert.ok(await page.isHidden('#model'), 'nothing to choose from');
    give();
    await page.waitForSelector('#send:enabled');
    assert.deepEqual(asked, [], 'nothing is sent late, either');
    await page.press('#prompt', 'Enter');
    await idle(page);
    assert.equal(asked.length, 1);

    await page.unroute('**/demo/config.json');
    await page.route('**/demo/config.json', (route) => route.fulfill({ body: 'no JSON' }));
    await page.reload();
    await page.getByText('gave no settings').waitFor();
    await say(page, 'Hello');
    assert.equal(await page.inputValue('#prompt'), 'Hello');
    assert.ok(await page.getByText('gave no settings').isVisible());
    assert.equal(await page.locator('.turn').count(), 0);
    assert.equal(asked.length, 1);
  });

  await check('following: a reader who scrolls up is left alone, “Latest” leads back', { viewport: { width: 900, height: 500 } }, async (page) => {
    await say(page, '/show long');
    await page.waitForFunction(() => document.querySelector('#conversation').scrollTop > 200, null, { timeout: 20_000 });
    await page.mouse.move(400, 200);
    const at = () => page.evaluate(() => document.querySelector('#conversation').scrollTop);
    const up = {
      'a large step': () => page.mouse.wheel(0, -400),
      'a small step': () => page.mouse.wheel(0, -40),
      'an arrow key': () => page.press('#conversation', 'ArrowUp'),
    };
    const back = { 'the button': () => page.click('#latest'), 'scrolling': () => page.mouse.wheel(0, 4000) };
    for (const [how, leave] of Object.entries(up)) {
      for (const [way, comeBack] of Object.entries(back)) {
        await leave();
        await page.waitForSelector('#latest:not([hidden])');
        await page.waitForTimeout(300); // the browser scrolls smoothly
        const before = await at();
        await page.waitForTimeout(600);
        assert.equal(await at(), before, how);
        await comeBack();
        await page.waitForSelector('#latest', { state: 'hidden' });
        const end = await at();
        await page.waitForFunction((old) => document.querySelector('#conversation').scrollTop > old, end, { timeout: 8000 });
        assert.ok(end > before && (await page.isHidden('#latest')), `${how}, then ${way}: it follows again`);
      }
    }
    await page.keyboard.press('Escape');
    await idle(page);
  });

  await check('an older turn that is asked again is the one in sight', { viewport: { width: 900, height: 500 } }, async (page) => {
    await say(page, '/show long');
    await page.waitForFunction(() => document.querySelector('.answer-text')?.textContent.length > 400, null, { timeout: 20_000 });
    await page.keyboard.press('Escape');
    await idle(page);
    for (const command of ['/show markdown', '/fault overloaded']) {
      await say(page, command);
      await idle(page);
    }
    const first = page.locator('.turn').first();
    const other = lastNotice(page).getByRole('button', { name: 'Retry' });
    await first.getByRole('button', { name: 'Retry' }).click();
    await page.waitForFunction(() => document.querySelector('.answer-text')?.textContent.length > 100, null, { timeout: 20_000 });
    const inSight = () => first.evaluate((turn) => turn.getBoundingClientRect().top - document.querySelector('#conversation').getBoundingClientRect().top);
    assert.ok(Math.abs(await inSight()) < 20, `the turn begins at ${await inSight()}`);
    assert.ok(await page.isVisible('#latest'));
    assert.ok(await other.isDisabled(), 'one answer at a time');
    await page.mouse.move(400, 200);
    await page.mouse.wheel(0, 4000);
    await page.waitForSelector('#latest', { state: 'hidden' });
    const at = () => page.evaluate(() => document.querySelector('#conversation').scrollTop);
    const before = await at();
    await page.waitForSelector('#latest:not([hidden])', { timeout: 8000 });
    assert.equal(await at(), before, 'what is below it does not run away from a reader');
    await page.keyboard.press('Escape');
    await idle(page);
    await other.click();
    await idle(page);
    assert.equal(await page.locator('.turn').count(), 3);
    await page.waitForSelector('#latest', { state: 'hidden' });
  });

  await check('a flood of text does not stall the page', {}, async (page) => {
    await say(page, '/fault flood 8');
    await page.waitForFunction(() => document.querySelector('.answer-text')?.textContent.length > 100_000, null, { timeout: 30_000 });
    await page.keyboard.press('Escape');
    await idle(page);
  });

  await check('headrace.js serves scripts that are no modules', {}, async (page) => {
    const ask = { url: 'claude/v1/messages', body: { model: 'claude-sonnet-5-5', max_tokens: 512, messages: [{ role: 'user', content: 'Hello' }] } };
    const saying = (content) => ({ ...ask, body: { ...ask.body, messages: [{ role: 'user', content }] } });
    const called = page.waitForRequest('**/claude/v1/messages?*');
    const answer = await page.evaluate(async (request) => {
      document.cookie = 'XSRF-TOKEN=abc%3D';
      const pieces = [];
      const whole = await globalThis.headrace.stream({ ...request, csrf: true, onText: (text) => pieces.push(text) });
      return { ...whole, pieces };
    }, ask);
    const request = await called;
    assert.equal(request.headers()['x-xsrf-token'], 'abc=');
    assert.equal(new URL(request.url()).search, '?format=simple');
    assert.equal(request.postDataJSON().stream, true);
    assert.ok(answer.pieces.length > 1, 'in pieces');
    assert.equal(answer.pieces.join(''), answer.text);
    assert.equal(answer.stopReason, 'end_turn');
    assert.ok(answer.usage.outputTokens > 0);
    const before = await simulator();
    const left = await page.evaluate(async (long) => {
      for await (const event of globalThis.headrace.stream(long)) if (event.type === 'text') return event.text;
    }, saying('/show long'));
    assert.ok(left.length > 0);
    await eventually('a loop that was left cancelled upstream', async () => {
      const now = await simulator();
      return now.clientGone === before.clientGone + 1 && now.openStreams === 0;
    });
    const aborted = await page.evaluate(async (long) => {
      const controller = new AbortController();
      try {
        await globalThis.headrace.stream({ ...long, signal: controller.signal, onText: () => controller.abort() });
      } catch (error) {
        return error.name;
      }
    }, saying('/show long'));
    assert.equal(aborted, 'AbortError');
    const failed = await page.evaluate(async (limited) => {
      try {
        await globalThis.headrace.stream(limited);
      } catch (error) {
        return { ...error, isOurs: error instanceof globalThis.headrace.HeadraceError };
      }
    }, saying('/fault rate-limit 3'));
    assert.ok(failed.isOurs);
    assert.deepEqual([failed.status, failed.type, failed.retryable], [429, 'rate_limit_error', true]);
    assert.ok(failed.retryAfterMs > 0 && failed.retryAfterMs <= 3000, `${failed.retryAfterMs}`);
    const cut = await page.evaluate(async (torn) => globalThis.headrace.stream(torn).catch(({ type, partial }) => ({ type, partial })), saying('/fault cut'));
    assert.ok(['api_error', 'network_error', 'stream_cut'].includes(cut.type), cut.type);
    assert.ok(cut.partial.length > 20);
  });

  for (const [width, colorScheme] of [
    [360, 'light'],
    [360, 'dark'],
    [320, 'light'],
  ]) {
    const phone = { viewport: { width, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, colorScheme };
    const name = `${width}-${colorScheme}`;
    await check(`a phone of ${width} pixels, ${colorScheme}: nothing to scroll sideways, nothing cut off`, phone, async (page) => {
      const overflow = () =>
        page.evaluate(() =>
          [document.documentElement, document.querySelector('#conversation')].map((element) => element.scrollWidth - element.clientWidth),
        );
      assert.deepEqual(await overflow(), [0, 0]);
      assert.ok(await page.isVisible('#simulated'));
      assert.equal(await page.evaluate(() => document.querySelector('#conversation').scrollTop), 0, 'the greeting is in sight');
      const rows = page.locator('.bar > :visible, .composer-row > :visible');
      for (const { x, width: wide } of await rows.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()))) {
        assert.ok(x >= 0 && x + wide <= width, `the header and the composer fit: ${x} and ${wide}`);
      }
      await shoot(page, `phone-empty-${name}`);
      for (const command of ['/show table', '/show code', '/show search', '/fault overloaded']) {
        await say(page, command);
        await idle(page);
        assert.deepEqual(await overflow(), [0, 0], command);
      }
      await page.click('.turn:last-child .more summary');
      assert.deepEqual(await overflow(), [0, 0], 'details');
      const edge = (selector, side) => page.evaluate(([at, name]) => document.querySelector(at).getBoundingClientRect()[name], [selector, side]);
      await eventually('the details stand clear of the message box', async () => (await edge('.dock', 'top')) - (await edge('.more[open]', 'bottom')) >= 8);
      await shoot(page, `phone-${name}`);
      await page.tap('#faults-button');
      assert.deepEqual(await overflow(), [0, 0], 'faults');
      await shoot(page, `phone-faults-${name}`);
    });
  }
} catch (failure) {
  failures++;
  console.error(failure);
} finally {
  await browser?.close();
  demo.kill();
  rmSync(profile, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
