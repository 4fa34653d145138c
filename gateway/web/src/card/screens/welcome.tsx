// The first screen: one tap makes the card. It says in one sentence what the store sees, and asks for nothing.

import { useEffect, useState } from 'preact/hooks';
import { announce } from '../../kit/announce.tsx';
import { LanguageSwitch } from '../../kit/language-switch.tsx';
import { Fault, useAction } from '../action.tsx';
import { go } from '../route.ts';
import { card, enrol, programme } from '../session.ts';
import { rememberedNumber } from '../vault.ts';
import { words } from '../words.ts';
import { Recovery } from './recovery.tsx';

export function Welcome() {
  const { welcome, recover } = words();
  const action = useAction();
  const [name, setName] = useState<string>();
  const last = rememberedNumber();
  useEffect(() => {
    document.title = words().title;
    programme()
      .then((answer) => setName(answer.name))
      .catch(() => undefined);
  }, []);
  const start = (): Promise<void> =>
    action.run(async () => {
      await enrol();
      go('card');
      announce(words().welcome.made);
    });
  return (
    <main class="page screen welcome">
      <div class="row apart">
        <p class="hint">{name ? welcome.of(name) : words().title}</p>
        <LanguageSwitch />
      </div>
      <img src="/card/icon.svg" width="96" height="96" alt="" />
      <h1>{welcome.title}</h1>
      <p>{welcome.sees}</p>
      {last && <p class="note warn">{welcome.hint(last)}</p>}
      <button type="button" class="primary large" onClick={start} aria-disabled={action.busy}>
        {action.busy ? welcome.working : card.value ? welcome.resume : welcome.start}
      </button>
      <Fault action={action} />
      <details class="panel" open={last !== undefined}>
        <summary>{welcome.before}</summary>
        <h2>{recover.title}</h2>
        <Recovery />
      </details>
    </main>
  );
}
