// The language of a page: Japanese or English, as the browser says, until the switch says otherwise.
//
// A page's words are two dictionaries of one type, so a word that misses in one of them does not compile.
// A word is a string, or a function of what it tells.

import { effect, signal } from '@preact/signals';

export type Language = 'ja' | 'en';

const KEY = 'language';

function remembered(): Language | undefined {
  try {
    const word = localStorage.getItem(KEY);
    return word === 'ja' || word === 'en' ? word : undefined;
  } catch {
    return undefined;
  }
}

/** Japanese if it stands before English, or if neither is asked for. */
export function preferred(languages: readonly string[]): Language {
  for (const tag of languages) {
    const primary = tag.toLowerCase().split('-')[0];
    if (primary === 'ja' || primary === 'en') return primary;
  }
  return 'ja';
}

export const language = signal<Language>(
  typeof navigator === 'undefined' ? 'ja' : (remembered() ?? preferred(navigator.languages)),
);

/** Switches the language and remembers it. */
export function chooseLanguage(next: Language): void {
  language.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

if (typeof document !== 'undefined') {
  effect(() => {
    document.documentElement.lang = language.value;
  });
}

/** What a function of words looks like; `never` lets every argument list fit. */
type Word = string | ((...values: never[]) => string) | Dictionary;
interface Dictionary {
  readonly [name: string]: Word;
}
/** The same names and arguments, in other words. */
export type Translation<D> = {
  readonly [K in keyof D]: D[K] extends string
    ? string
    : D[K] extends (...values: infer A) => string
      ? (...values: A) => string
      : Translation<D[K]>;
};

/**
 * Puts a page's two dictionaries together. Call the result where words are needed; a component that does is
 * drawn again when the language changes.
 */
export function dictionaries<const D extends Dictionary>(ja: D, en: Translation<D>): () => Translation<D> {
  return () => (language.value === 'ja' ? (ja as unknown as Translation<D>) : en);
}
