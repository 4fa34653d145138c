// Which screen is shown: the part of the address behind `#`, so that the phone's back button works.

import { signal } from '@preact/signals';

export const SCREENS = [
  'card',
  'history',
  'notices',
  'more',
  'cards',
  'link',
  'addresses',
  'profile',
  'wallet',
  'data',
  'recover',
] as const;
export type Screen = (typeof SCREENS)[number];

function current(): Screen {
  const name = location.hash.slice(1);
  return SCREENS.find((screen) => screen === name) ?? 'card';
}

export const screen = signal<Screen>(current());

/** Whether the shopper went from one screen to another: then the focus goes along. */
export let moved = false;

addEventListener('hashchange', () => {
  moved = true;
  screen.value = current();
  scrollTo(0, 0);
});

export function go(to: Screen): void {
  location.hash = to === 'card' ? '' : to;
}
