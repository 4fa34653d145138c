// An address is proved by a code that was sent there. Proved on a new phone, it brings the old record's points back.

import { useState } from 'preact/hooks';
import { Fault, useAction } from '../action.tsx';
import type { Linked, Verification } from '../gateway.ts';
import { MergeQuestion, useLinking } from '../merging.tsx';
import { ask } from '../session.ts';
import { words } from '../words.ts';
import { Frame } from './frame.tsx';
import { LinkedList } from './link.tsx';

// One of several kinds of input: the element's own type wants each by itself.
const TYPES = { email: 'email', phone: 'tel' as 'email' } as const;

interface Sent extends Verification {
  to: string;
}

export function Addresses() {
  const { addresses } = words();
  const [sent, setSent] = useState<Sent>();
  const [done, setDone] = useState(false);
  return (
    <Frame title={addresses.title} below>
      <p class="hint">{addresses.hint}</p>
      {done && (
        <p class="note good" role="status">
          {addresses.done}
        </p>
      )}
      {sent ? (
        <Confirm
          sent={sent}
          onOther={() => setSent(undefined)}
          onDone={() => {
            setSent(undefined);
            setDone(true);
          }}
        />
      ) : (
        <Send onSent={setSent} />
      )}
      <LinkedList />
    </Frame>
  );
}

function Send({ onSent }: { onSent: (sent: Sent) => void }) {
  const { addresses } = words();
  const [kind, setKind] = useState<'email' | 'phone'>('email');
  const [to, setTo] = useState('');
  const action = useAction();
  const submit = (event: Event): void => {
    event.preventDefault();
    void action.run(async () => {
      const verification = await ask<Verification>('/v1/me/verifications', {
        method: 'POST',
        body: { [kind]: to.trim() },
      });
      onSent({ ...verification, to: to.trim() });
    });
  };
  return (
    <form class="panel" onSubmit={submit}>
      <fieldset class="choice">
        <legend>{addresses.which}</legend>
        {(['email', 'phone'] as const).map((name) => (
          <label class="row" key={name}>
            <input type="radio" name="kind" checked={kind === name} onChange={() => setKind(name)} />
            {addresses[name]}
          </label>
        ))}
      </fieldset>
      <div class="field">
        <label for="address">{addresses[kind]}</label>
        <input
          id="address"
          required
          type={TYPES[kind]}
          autoComplete={kind === 'email' ? 'email' : 'tel'}
          value={to}
          onInput={(event) => setTo(event.currentTarget.value)}
        />
      </div>
      <Fault action={action} />
      <button type="submit" class="primary" aria-disabled={action.busy}>
        {addresses.send}
      </button>
    </form>
  );
}

function Confirm({ sent, onOther, onDone }: { sent: Sent; onOther: () => void; onDone: () => void }) {
  const { addresses } = words();
  const [code, setCode] = useState('');
  const [wrong, setWrong] = useState(false);
  const linking = useLinking();
  const submit = (event: Event): void => {
    event.preventDefault();
    const typed = code.normalize('NFKC').replace(/\s/g, '');
    setWrong(!/^[0-9]{6}$/.test(typed));
    if (!/^[0-9]{6}$/.test(typed)) return;
    const path = `/v1/me/verifications/${sent.id}/confirmations`;
    const send = (agree_to_merge: boolean): Promise<Linked> =>
      ask<Linked>(path, { method: 'POST', body: { code: typed, agree_to_merge } });
    void linking.link(send, onDone);
  };
  return (
    <form class="panel" onSubmit={submit} noValidate>
      <p role="status">{addresses.sent(sent.to)}</p>
      <div class="field">
        <label for="code">{addresses.code}</label>
        <input
          id="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          value={code}
          aria-invalid={wrong}
          aria-describedby="code-hint"
          onInput={(event) => setCode(event.currentTarget.value)}
        />
        <p class={wrong ? 'fault' : 'hint'} id="code-hint" role={wrong ? 'alert' : undefined}>
          {wrong ? addresses.wrongCode : addresses.until(sent.expires_at)}
        </p>
      </div>
      <Fault action={linking.action} />
      <div class="row">
        <button type="submit" class="primary" aria-disabled={linking.action.busy}>
          {addresses.confirm}
        </button>
        <button type="button" onClick={onOther}>
          {addresses.other}
        </button>
      </div>
      {linking.question && <MergeQuestion question={linking.question} />}
    </form>
  );
}
