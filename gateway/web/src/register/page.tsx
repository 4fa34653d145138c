// The page as a whole.

import { LanguageSwitch } from '../kit/language-switch.tsx';
import { words } from './words.ts';

export function Page() {
  return (
    <main class="page">
      <div class="row apart">
        <h1>{words().title}</h1>
        <LanguageSwitch />
      </div>
    </main>
  );
}
