// Everything that is kept, as a file; and the end of it.

import { useState } from 'preact/hooks';
import { announce } from '../../kit/announce.tsx';
import { Dialog } from '../../kit/dialog.tsx';
import { Fault, useAction } from '../action.tsx';
import { download } from '../download.ts';
import { ask, forget } from '../session.ts';
import { words } from '../words.ts';
import { Frame } from './frame.tsx';

export function Data() {
  const { data } = words();
  const [leaving, setLeaving] = useState(false);
  return (
    <Frame title={data.title} below>
      <Export />
      <section class="panel">
        <h2>{data.eraseTitle}</h2>
        <p class="hint">{data.eraseHint}</p>
        <button type="button" class="danger" onClick={() => setLeaving(true)}>
          {data.erase}
        </button>
      </section>
      {leaving && <Leave onClose={() => setLeaving(false)} />}
    </Frame>
  );
}

function Export() {
  const { data } = words();
  const [done, setDone] = useState(false);
  const action = useAction();
  const run = (): Promise<void> =>
    action.run(async () => {
      const all = await ask<unknown>('/v1/me/export', { deadline_ms: 60_000 });
      download('my-data.json', new Blob([JSON.stringify(all, null, 2)], { type: 'application/json' }));
      setDone(true);
    });
  return (
    <section class="panel">
      <h2>{data.exportTitle}</h2>
      <p class="hint">{data.exportHint}</p>
      <Fault action={action} />
      {done && (
        <p class="note good" role="status">
          {data.exported}
        </p>
      )}
      <button type="button" aria-disabled={action.busy} onClick={run}>
        {data.export}
      </button>
    </section>
  );
}

const REASONS = ['none', 'not_wanted', 'privacy', 'other'] as const;

function Leave({ onClose }: { onClose: () => void }) {
  const { data, cancel } = words();
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState<(typeof REASONS)[number]>('none');
  const action = useAction();
  const meant = typed.trim().toLowerCase() === data.word;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!meant) return;
    void action.run(async () => {
      const body = reason === 'none' ? { confirm: 'erase' } : { confirm: 'erase', reason };
      await ask('/v1/me', { method: 'DELETE', body });
      announce(data.erased);
      await forget();
      location.hash = '';
    });
  };
  return (
    <Dialog title={data.eraseSure} onClose={onClose}>
      <p class="note bad">{data.eraseHint}</p>
      <form class="panel" onSubmit={submit}>
        <div class="field">
          <label for="reason">{data.reason}</label>
          <select
            id="reason"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value as (typeof REASONS)[number])}
          >
            {REASONS.map((name) => (
              <option key={name} value={name}>
                {data.reasons[name]}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="word">{data.eraseWord}</label>
          <input id="word" autoComplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </div>
        <Fault action={action} />
        <div class="row">
          <button type="submit" class="danger" aria-disabled={action.busy || !meant}>
            {data.erase}
          </button>
          <button type="button" onClick={onClose}>
            {cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
