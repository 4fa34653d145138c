// What a screen reader says when something happens by itself. One live region a page, always there: one that comes
// with its text is not read.

import { signal } from '@preact/signals';

const said = signal({ text: '', turn: 0 });

/** Says it when the reader has time. The same text twice is said twice. */
export function announce(text: string): void {
  said.value = { text, turn: said.value.turn + 1 };
}

export function LiveRegion() {
  const { text, turn } = said.value;
  return (
    <div class="unseen" role="status" aria-live="polite">
      <span key={turn}>{text}</span>
    </div>
  );
}
