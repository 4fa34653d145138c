// Why points are what they are: the gateway's own explanation, in the page's language first and in the other below, so
// that it can be read out to whoever asks.

import { useState } from 'preact/hooks';
import { Dialog } from '../../kit/dialog.tsx';
import { language } from '../../kit/i18n.ts';
import type { Explanation } from '../answers.ts';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { ask, may } from '../session.ts';
import { member as words } from '../words/members.ts';
import { shell } from '../words/shell.ts';

export interface WhyProps {
  member: string;
  /** A movement, a lot or a purchase. */
  entry: string;
  about: string;
}

export function WhyButton({ member, entry, about }: WhyProps) {
  const w = words();
  const [open, setOpen] = useState(false);
  if (!may('why')) return <>—</>;
  return (
    <>
      <button type="button" class="small" aria-label={`${w.why}: ${about}`} onClick={() => setOpen(true)}>
        {w.why}
      </button>
      {open && <WhyDialog member={member} entry={entry} close={() => setOpen(false)} />}
    </>
  );
}

function WhyDialog({ member, entry, close }: { member: string; entry: string; close: () => void }) {
  const w = words();
  const loaded = useLoaded(entry, (signal) => ask<Explanation>('why', { member, entry }, { signal }));
  const order = language.value === 'ja' ? (['ja', 'en'] as const) : (['en', 'ja'] as const);
  return (
    <Dialog title={w.whyTitle} onClose={close}>
      <Show of={loaded}>
        {({ text }) => (
          <>
            {order.map((tongue) => (
              <section key={tongue} class="stack">
                <h3>{tongue === 'ja' ? w.japanese : w.english}</h3>
                <p class="lines" lang={tongue}>
                  {text[tongue]}
                </p>
              </section>
            ))}
          </>
        )}
      </Show>
      <div class="row end">
        <button type="button" onClick={close}>
          {shell().close}
        </button>
      </div>
    </Dialog>
  );
}
