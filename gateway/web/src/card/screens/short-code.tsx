// A one-time number for tills that read no QR codes: as lines for a scanner, in fours to read aloud. Made by the gateway,
// so it needs a network.

import { useEffect, useState } from 'preact/hooks';
import { Dialog } from '../../kit/dialog.tsx';
import { Fault, useAction } from '../action.tsx';
import { Code128 } from '../code-128.tsx';
import type { ShortCode as Code } from '../gateway.ts';
import { ask, clock, limit } from '../session.ts';
import { words } from '../words.ts';
import { useSecondsLeft } from './ring.tsx';

interface Shown {
  text: string;
  /** On `performance.now()`. */
  ends_at: number;
}

async function make(): Promise<Shown> {
  const now = limit.value;
  const most = now.spend ? now.points : 0;
  const body = most === undefined ? {} : { spend_limit: most };
  const { text, expires_at } = await ask<Code>('/v1/me/short-codes', { method: 'POST', body });
  // A second too soon rather than too late.
  return { text, ends_at: performance.now() + Date.parse(expires_at) - clock.now() - 1_000 };
}

export function ShortCode({ onClose }: { onClose: () => void }) {
  const { short, close } = words();
  const [shown, setShown] = useState<Shown>();
  const action = useAction();
  const renew = (): Promise<void> => action.run(async () => setShown(await make()));
  useEffect(() => {
    void renew();
  }, []);
  const left = useSecondsLeft(shown?.ends_at ?? 0);
  return (
    <Dialog title={short.title} onClose={onClose}>
      <p class="hint">{short.hint}</p>
      {shown && left > 0 && (
        <>
          <Code128 digits={shown.text} label={short.bars} />
          <p class="short-number number" data-code={shown.text}>
            <span class="unseen">{short.number} </span>
            {shown.text.replace(/(.{4})(?=.)/g, '$1 ')}
          </p>
          <p>{short.left(left)}</p>
        </>
      )}
      {shown && left === 0 && <p role="status">{short.over}</p>}
      {action.busy && <p role="status">{words().loading}</p>}
      <Fault action={action} />
      <div class="row">
        {(action.fault || (shown && left === 0)) && (
          <button type="button" class="primary" onClick={renew}>
            {short.renew}
          </button>
        )}
        <button type="button" onClick={onClose}>
          {close}
        </button>
      </div>
    </Dialog>
  );
}
