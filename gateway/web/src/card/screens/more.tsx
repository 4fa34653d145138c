// Everything that is not needed at the till.

import { LanguageSwitch } from '../../kit/language-switch.tsx';
import { words } from '../words.ts';
import { Frame } from './frame.tsx';

const BELOW = ['cards', 'link', 'addresses', 'profile', 'wallet', 'data', 'recover'] as const;

export function More() {
  const { more } = words();
  return (
    <Frame title={more.title}>
      <ul class="plain panel menu">
        {BELOW.map((name) => (
          <li key={name}>
            <a href={`#${name}`}>
              <span>{more[name]}</span>
              <span aria-hidden="true">›</span>
            </a>
          </li>
        ))}
      </ul>
      <div class="panel row apart">
        <span>{more.language}</span>
        <LanguageSwitch />
      </div>
      <p class="hint">{more.version}</p>
    </Frame>
  );
}
