// The register's keys: F-keys, because they type no text and so need no off switch (WCAG 2.1.4). Each is shown on its button.

import { complete } from './checkout.ts';
import type { Register } from './register.ts';
import { due } from './sale/draft.ts';
import { words } from './words.ts';

export const KEYS = {
  points: 'F2',
  add8: 'F3',
  articles: 'F4',
  refund: 'F6',
  settle: 'F7',
  pay: 'F8',
  exact: 'F9',
  connection: 'F10',
} as const;

export type Action = keyof typeof KEYS;

/** What the entry does with what was typed, for keys that use it first. */
export interface EntryKeys {
  /** Makes a line of what was typed. False if there is something that is no amount and no code. */
  commit(taxRate: 8 | 10): boolean;
}

/** Does what a key or its button says. */
export function act(register: Register, action: Action, entry: EntryKeys | undefined): void {
  const { screen } = register;
  const inSale = screen.value.is === 'sale' || screen.value.is === 'receipt';
  switch (action) {
    case 'add8':
      if (inSale) entry?.commit(8);
      return;
    case 'points':
      if (entry?.commit(10) !== false) openPoints(register);
      return;
    case 'pay':
      if (entry?.commit(10) === false) return;
      if (register.draft.value.basket.lines.length === 0) register.say('warn', () => words().message.emptyBasket);
      else register.goTo({ is: 'pay' });
      return;
    case 'exact':
      if (inSale && entry?.commit(10) !== false) void complete(register, 'cash', due(register.draft.value));
      return;
    default:
      register.goTo({ is: action });
  }
}

function openPoints(register: Register): void {
  const { scan, card, hold } = register.draft.value;
  if (!scan) register.say('warn', () => words().message.noMember);
  else if (hold) register.say('warn', () => words().member.releaseFirst);
  else if (card === 'asking') register.say('warn', () => words().message.wait);
  else if (register.usable === 0) register.say('warn', () => words().message.noPoints);
  else register.goTo({ is: 'points' });
}

/** Listens for the keys until the result is called. A dialog keeps them to itself. */
export function listenToKeys(register: Register, entry: () => EntryKeys | undefined): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.repeat) return;
    const action = (Object.keys(KEYS) as Action[]).find((name) => KEYS[name] === event.code);
    if (!action) return;
    event.preventDefault();
    if (document.querySelector('dialog[open]')) return;
    act(register, action, entry());
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}
