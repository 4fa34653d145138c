// How long the code is still shown. A reader hears it only when it looks: a number that is read out every second is noise.

import { useEffect, useState } from 'preact/hooks';
import { PERIOD_S, replaced_at } from '../rotation.ts';
import { words } from '../words.ts';

const RADIUS = 16;
const AROUND = 2 * Math.PI * RADIUS;

export function useSecondsLeft(end: number): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return Math.max(0, Math.ceil((end - now) / 1000));
}

export function Ring() {
  const left = Math.min(PERIOD_S, useSecondsLeft(replaced_at.value));
  return (
    <span class="ring" role="img" aria-label={words().card.left(left)}>
      <svg viewBox="0 0 40 40" width="40" height="40" aria-hidden="true">
        <circle class="ring-ground" cx="20" cy="20" r={RADIUS} />
        <circle
          class="ring-left"
          cx="20"
          cy="20"
          r={RADIUS}
          stroke-dasharray={`${AROUND}`}
          stroke-dashoffset={`${AROUND * (1 - left / PERIOD_S)}`}
          transform="rotate(-90 20 20)"
        />
      </svg>
      <span class="ring-number number" aria-hidden="true">
        {left}
      </span>
    </span>
  );
}
