// Where there is no card to show, and the way on from there.

import { LanguageSwitch } from '../../kit/language-switch.tsx';
import { Fault, useAction } from '../action.tsx';
import { go } from '../route.ts';
import { beginAnew, card, enrol, type Phase, phase } from '../session.ts';
import { words } from '../words.ts';
import { Recovery } from './recovery.tsx';

type End = 'key_lost' | 'revoked' | 'unknown_card';

export function isEnd(now: Phase): now is End {
  return now === 'key_lost' || now === 'revoked' || now === 'unknown_card';
}

export function Ended({ end }: { end: End }) {
  const { ended, recover } = words();
  const action = useAction();
  const [title, text] = {
    key_lost: [ended.keyLostTitle, ended.keyLost],
    revoked: [ended.revokedTitle, ended.revoked],
    unknown_card: [ended.unknownTitle, ended.unknown],
  }[end];
  const number = card.value?.member_no;
  const begin = (how: () => Promise<void>): Promise<void> => action.run(() => how().then(() => go('card')));
  return (
    <main class="page screen">
      <div class="row apart">
        <p class="hint">{words().title}</p>
        <LanguageSwitch />
      </div>
      <h1>{title}</h1>
      <p class="note bad" role="alert">
        {text}
      </p>
      {number && <p>{ended.number(number)}</p>}
      {end === 'unknown_card' && (
        <button type="button" class="primary large" aria-disabled={action.busy} onClick={() => begin(enrol)}>
          {ended.enrolAgain}
        </button>
      )}
      <button
        type="button"
        class={end === 'unknown_card' ? '' : 'primary large'}
        aria-disabled={action.busy}
        onClick={() => begin(beginAnew)}
      >
        {ended.anew}
      </button>
      <Fault action={action} />
      <section class="panel">
        <h2>{recover.title}</h2>
        <Recovery />
      </section>
    </main>
  );
}

export function NoStorage() {
  const { noStorage } = words();
  return (
    <main class="page screen">
      <div class="row apart">
        <p class="hint">{words().title}</p>
        <LanguageSwitch />
      </div>
      <h1>{noStorage.title}</h1>
      <p class="note bad" role="alert">
        {noStorage.text}
      </p>
      <button type="button" class="primary" onClick={() => location.reload()}>
        {words().again}
      </button>
    </main>
  );
}

export function Opening() {
  return <main class="page screen" aria-busy={phase.value === 'opening'} aria-label={words().loading} />;
}
