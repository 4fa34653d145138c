// The place of this page as a signal, and the notes that travel to the next place.

import { signal } from '@preact/signals';
import { announce } from '../kit/announce.tsx';
import { format, parse, type Route } from './routes.ts';

export const place = signal<Route>(parse(location.hash));

/** What was just done, shown at the top until the next place or until it is closed. */
export const told = signal<{ kind: 'good' | 'warn'; text: string } | undefined>(undefined);

/** A note that was told for the place one is going to. */
let carried = false;

addEventListener('hashchange', () => {
  const next = parse(location.hash);
  if (JSON.stringify(next) === JSON.stringify(place.value)) return;
  if (!carried) told.value = undefined;
  carried = false;
  place.value = next;
});

/** Reads the address anew after it was replaced, which browsers tell nobody. */
export function arrive(): void {
  place.value = parse(location.hash);
}

export function go(route: Exclude<Route, { at: 'unknown' }>): void {
  location.hash = format(route);
}

export function tell(text: string, kind: 'good' | 'warn' = 'good'): void {
  told.value = { kind, text };
  announce(text);
}

/** Tells it at the place one goes to. */
export function goAndTell(route: Exclude<Route, { at: 'unknown' }>, text: string): void {
  tell(text);
  carried = location.hash !== format(route);
  go(route);
}
