// Passes for the phone's wallet: cards of their own, which can be stopped like any.

import { useState } from 'preact/hooks';
import { NoAnswer } from '../../kit/api.ts';
import { Fault, useAction } from '../action.tsx';
import { download } from '../download.ts';
import type { GooglePass } from '../gateway.ts';
import { ask, askFile } from '../session.ts';
import { words } from '../words.ts';
import { Frame } from './frame.tsx';

/** Where a pass may be saved; anything else is not made a link of. */
const GOOGLE = 'https://pay.google.com/';

export function Wallet() {
  const { wallet } = words();
  return (
    <Frame title={wallet.title} below>
      <Google />
      <Apple />
      <p class="hint">{wallet.revoke}</p>
    </Frame>
  );
}

function Google() {
  const { wallet } = words();
  const [link, setLink] = useState<string>();
  const action = useAction();
  const make = (): Promise<void> =>
    action.run(async () => {
      const { save_link } = await ask<GooglePass>('/v1/me/wallet-passes', { method: 'POST', body: { kind: 'google' } });
      if (!save_link.startsWith(GOOGLE)) throw new NoAnswer('network', save_link);
      setLink(save_link);
    });
  return (
    <section class="panel">
      <h2>{wallet.google}</h2>
      <p class="hint">{wallet.googleHint}</p>
      <Fault action={action} />
      {link ? (
        <a class="button primary" href={link} rel="noreferrer">
          {wallet.googleOpen}
        </a>
      ) : (
        <button type="button" aria-disabled={action.busy} onClick={make}>
          {wallet.googleMake}
        </button>
      )}
    </section>
  );
}

function Apple() {
  const { wallet } = words();
  const [done, setDone] = useState(false);
  const action = useAction();
  const make = (): Promise<void> =>
    action.run(async () => {
      const pass = await askFile('/v1/me/wallet-passes', { method: 'POST', body: { kind: 'apple' } });
      download('card.pkpass', pass);
      setDone(true);
    });
  return (
    <section class="panel">
      <h2>{wallet.apple}</h2>
      <p class="hint">{wallet.appleHint}</p>
      <Fault action={action} />
      {done && <p role="status">{wallet.appleDone}</p>}
      <button type="button" aria-disabled={action.busy} onClick={make}>
        {wallet.appleMake}
      </button>
    </section>
  );
}
