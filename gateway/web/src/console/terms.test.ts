import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { language } from '../kit/i18n.ts';
import { CALLS, changes } from './calls.ts';
import { FIGURES } from './routes.ts';
import { knows, TERMS, type TermKind, term } from './terms.ts';
import { figures } from './words/figures.ts';
import { watch } from './words/watch.ts';

const LEDGER = join(import.meta.dirname, '..', '..', '..', 'ledger', 'src');

/** The stable words of one of the ledger's enumerations, out of its source. */
function ledgerWords(file: string, name: string): string[] {
  const source = readFileSync(join(LEDGER, file), 'utf8');
  const body = new RegExp(`\\n    ${name} \\{\\n([\\s\\S]*?)\\n    \\}`).exec(source)?.[1];
  assert.ok(body, `${name} in ${file}`);
  return [...body.matchAll(/ = "([^"]+)"/g)].map((match) => match[1] ?? '');
}

test('the page has a word for every word of the ledger', () => {
  for (const [file, name, kind] of [
    ['account.rs', 'Account', 'account'],
    ['account.rs', 'Motive', 'motive'],
    ['denial.rs', 'Denial', 'rule'],
    ['identity.rs', 'IdentityKind', 'identity'],
    ['identity.rs', 'Proof', 'proof'],
    ['order.rs', 'OrderState', 'order'],
    ['member.rs', 'MemberStatus', 'status'],
    ['member.rs', 'CardKind', 'cardKind'],
    ['member.rs', 'CardStatus', 'cardStatus'],
  ] as const satisfies [string, string, TermKind][]) {
    const words = ledgerWords(file, name);
    assert.ok(words.length > 0);
    assert.deepEqual(
      words.filter((word) => !knows(kind, word)),
      [],
      name,
    );
  }
});

test('both languages have every word, and a word that is not known is shown as it is', () => {
  for (const [kind, words] of Object.entries(TERMS)) {
    for (const [word, pair] of Object.entries<readonly [string, string]>(words)) {
      assert.ok(
        pair.every((text) => text.trim() !== ''),
        `${kind} ${word}`,
      );
    }
  }
  language.value = 'ja';
  assert.equal(term('status', 'active'), '有効');
  language.value = 'en';
  assert.equal(term('status', 'active'), 'Active');
  assert.equal(term('status', 'constructor'), 'constructor');
  assert.equal(term('role', undefined), '');
});

test('every figure has a name and a definition, every change a name in the acts', () => {
  for (const tongue of ['ja', 'en'] as const) {
    language.value = tongue;
    for (const figure of FIGURES) {
      assert.ok(figures().names[figure], figure);
      assert.ok(figures().definitions[figure], figure);
    }
    const named = Object.keys(watch().actNames);
    const recorded = (Object.keys(CALLS) as (keyof typeof CALLS)[]).filter(
      (name) => changes(name) || name === 'profile' || name === 'export',
    );
    assert.deepEqual([...named].sort(), [...recorded].sort());
  }
});

/** All strings of a dictionary, by path; functions are called with what they might be told. */
function texts(words: object, at = ''): [string, string][] {
  return Object.entries(words).flatMap(([name, word]) =>
    typeof word === 'object' && word !== null
      ? texts(word, `${at}${name}.`)
      : [[at + name, typeof word === 'function' ? String(word('1', '2', '3')) : String(word)] as [string, string]],
  );
}

test('no word of a dictionary is empty or left in the other language', async () => {
  const folder = join(import.meta.dirname, 'words');
  for (const file of readdirSync(folder)) {
    const module = (await import(join(folder, file))) as Record<string, () => object>;
    for (const dictionary of Object.values(module)) {
      language.value = 'ja';
      const ja = texts(dictionary());
      language.value = 'en';
      const en = texts(dictionary());
      assert.deepEqual(
        ja.map(([name]) => name),
        en.map(([name]) => name),
      );
      for (const [name, text] of [...ja, ...en]) assert.notEqual(text.trim(), '', `${file} ${name}`);
      assert.deepEqual(
        en.filter(([, text]) => /[぀-ヿ一-鿿]/.test(text)),
        [],
        file,
      );
    }
  }
});
