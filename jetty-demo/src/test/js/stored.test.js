import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { stored, storeUnlessUsual } from '../../main/resources/dev/headrace/demo/page/stored.js';

const before = Object.getOwnPropertyDescriptor(globalThis, 'localStorage');

function browserWith(get) {
  Object.defineProperty(globalThis, 'localStorage', { configurable: true, get });
}

function storage() {
  const items = new Map();
  browserWith(() => ({
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => items.set(name, value),
    removeItem: (name) => items.delete(name),
  }));
  return items;
}

afterEach(() => {
  if (before) Object.defineProperty(globalThis, 'localStorage', before);
  else delete globalThis.localStorage;
});

test('settings that were only looked at do not hide the system prompt of the demo', () => {
  const items = storage();
  storeUnlessUsual('system', '', '');
  assert.equal(items.size, 0);
  assert.equal(stored.get('system') ?? 'Be kind.', 'Be kind.');
});

test('a system prompt of the reader is kept, also an empty one, until it is the usual one again', () => {
  storage();
  for (const own of ['Be brief.', '']) {
    storeUnlessUsual('system', own, 'Be kind.');
    assert.equal(stored.get('system'), own);
  }
  storeUnlessUsual('system', 'Be kind.', 'Be kind.');
  assert.equal(stored.get('system'), null);
});

test('a browser without storage forgets', () => {
  browserWith(() => {
    throw new DOMException('denied', 'SecurityError');
  });
  storeUnlessUsual('system', 'Be brief.', '');
  storeUnlessUsual('system', '', '');
  assert.equal(stored.get('system'), null);
});
