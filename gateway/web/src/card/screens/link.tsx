// Linking by code: another phone, the online shop, a plastic card at the till. And what is linked already.

import { useState } from 'preact/hooks';
import { Dialog } from '../../kit/dialog.tsx';
import { Fault, useAction } from '../action.tsx';
import type { LinkCode, Linked, MyIdentity } from '../gateway.ts';
import { MergeQuestion, useLinking } from '../merging.tsx';
import { ask, me, refresh } from '../session.ts';
import { words } from '../words.ts';
import { Frame } from './frame.tsx';

export function Link() {
  return (
    <Frame title={words().link.title} below>
      <EnterCode />
      <ShowCode />
      <LinkedList />
    </Frame>
  );
}

function ShowCode() {
  const { link } = words();
  const [code, setCode] = useState<LinkCode>();
  const action = useAction();
  const show = (): Promise<void> =>
    action.run(async () => setCode(await ask<LinkCode>('/v1/me/link-codes', { method: 'POST' })));
  return (
    <section class="panel">
      <h2>{link.showTitle}</h2>
      <p class="hint">{link.showHint}</p>
      {code && (
        <div role="status">
          <p class="link-code number" data-code={code.code}>
            <span class="unseen">{link.code} </span>
            {code.code}
          </p>
          <p class="hint">{link.until(code.expires_at)}</p>
        </div>
      )}
      <Fault action={action} />
      <button type="button" aria-disabled={action.busy} onClick={show}>
        {link.show}
      </button>
    </section>
  );
}

function EnterCode() {
  const { link } = words();
  const [code, setCode] = useState('');
  const [done, setDone] = useState(false);
  const linking = useLinking();
  const submit = (event: Event): void => {
    event.preventDefault();
    setDone(false);
    const send = (agree_to_merge: boolean): Promise<Linked> =>
      ask<Linked>('/v1/me/links', { method: 'POST', body: { code: code.normalize('NFKC').trim(), agree_to_merge } });
    void linking.link(send, () => {
      setCode('');
      setDone(true);
    });
  };
  return (
    <section class="panel">
      <h2>{link.enterTitle}</h2>
      <form class="field" onSubmit={submit}>
        <label for="link-code">{link.code}</label>
        <input
          id="link-code"
          required
          autoComplete="off"
          autoCapitalize="characters"
          spellcheck={false}
          maxLength={20}
          placeholder="CFHJ-2345"
          value={code}
          aria-describedby="link-code-hint"
          onInput={(event) => setCode(event.currentTarget.value)}
        />
        <p class="hint" id="link-code-hint">
          {link.enterHint}
        </p>
        <Fault action={linking.action} />
        {done && <p class="note good">{link.linked}</p>}
        <button type="submit" class="primary" aria-disabled={linking.action.busy}>
          {link.enter}
        </button>
      </form>
      {linking.question && <MergeQuestion question={linking.question} />}
    </section>
  );
}

export function LinkedList() {
  const { link } = words();
  const [asked, setAsked] = useState<MyIdentity>();
  const all = me.value?.me.identities ?? [];
  return (
    <section class="panel">
      <h2>{link.listTitle}</h2>
      {all.length === 0 && <p class="hint">{link.none}</p>}
      <ul class="plain entries">
        {all.map((identity) => (
          <li class="entry row apart" key={identity.key}>
            <div>
              <p class="entry-name">{link.kinds[identity.kind]}</p>
              <p class="hint">
                {identity.issuer} {identity.label}
              </p>
            </div>
            <button
              type="button"
              class="danger"
              aria-label={link.giveUpOf(identity.label || link.kinds[identity.kind])}
              onClick={() => setAsked(identity)}
            >
              {link.giveUp}
            </button>
          </li>
        ))}
      </ul>
      {asked && <GiveUp identity={asked} onClose={() => setAsked(undefined)} />}
    </section>
  );
}

function GiveUp({ identity, onClose }: { identity: MyIdentity; onClose: () => void }) {
  const { link, cancel } = words();
  const action = useAction();
  const giveUp = (): Promise<void> =>
    action.run(async () => {
      await ask(`/v1/me/identities/${identity.key}`, { method: 'DELETE' });
      onClose();
      await refresh();
    });
  return (
    <Dialog title={link.giveUpSure(identity.label || link.kinds[identity.kind])} onClose={onClose}>
      <p>{link.giveUpText}</p>
      <Fault action={action} />
      <div class="row">
        <button type="button" class="danger" aria-disabled={action.busy} onClick={giveUp}>
          {link.giveUp}
        </button>
        <button type="button" onClick={onClose}>
          {cancel}
        </button>
      </div>
    </Dialog>
  );
}
