/** What the reader has chosen, kept by the browser. Without storage it lasts as long as the page. */
export const stored = {
  get(name) {
    try {
      return localStorage.getItem(`headrace.${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`headrace.${name}`, value);
    } catch {
      // storage is switched off
    }
  },
  remove(name) {
    try {
      localStorage.removeItem(`headrace.${name}`);
    } catch {
      // storage is switched off
    }
  },
};

/** Keeps a value only if it is not the usual one, so that another usual one counts after a restart. */
export function storeUnlessUsual(name, value, usual) {
  if (value === usual) stored.remove(name);
  else stored.set(name, value);
}
