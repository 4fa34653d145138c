// What can be recovered when a card is lost, and how.

import { words } from '../words.ts';
import { Frame } from './frame.tsx';

export function Recovery() {
  const { intro, phone, address, plastic, none, lost } = words().recover;
  return (
    <>
      <p>{intro}</p>
      <ul class="ways">
        {[phone, address, plastic, none].map((way) => (
          <li key={way}>{way}</li>
        ))}
      </ul>
      <p>{lost}</p>
    </>
  );
}

export function RecoveryScreen() {
  return (
    <Frame title={words().recover.title} below>
      <div class="panel">
        <Recovery />
      </div>
    </Frame>
  );
}
