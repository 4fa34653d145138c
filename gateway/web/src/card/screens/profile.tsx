// What the shopper tells of itself, all of it optional, and what it consents to.

import { useEffect, useState } from 'preact/hooks';
import { announce } from '../../kit/announce.tsx';
import { Problem } from '../../kit/api.ts';
import { Fault, useAction } from '../action.tsx';
import type { Profile as Answer, Consent, ProfileFields } from '../gateway.ts';
import { ask, clock } from '../session.ts';
import { words } from '../words.ts';
import { Frame } from './frame.tsx';

const FIELDS = ['name', 'kana', 'email', 'phone', 'birthday', 'postal_code'] as const;
type Field = (typeof FIELDS)[number];
// The element's own type wants each kind of input by itself; to it they are all text.
const KINDS: Record<Field, { type: string; autoComplete: string }> = {
  name: { type: 'text', autoComplete: 'name' },
  kana: { type: 'text', autoComplete: 'off' },
  email: { type: 'email', autoComplete: 'email' },
  phone: { type: 'tel', autoComplete: 'tel' },
  birthday: { type: 'date', autoComplete: 'bday' },
  postal_code: { type: 'text', autoComplete: 'postal-code' },
};

/** The consents this page asks for, and the version of the wording it shows. */
const CONSENTS = [{ purpose: 'newsletter', wording_version: '2026-04' }] as const;

export function Profile() {
  const { profile, loading } = words();
  const [answer, setAnswer] = useState<Answer>();
  const action = useAction();
  const read = (): Promise<void> => action.run(async () => setAnswer(await ask<Answer>('/v1/me/profile')));
  useEffect(() => {
    void read();
  }, []);
  return (
    <Frame title={profile.title} below>
      <p class="hint">{profile.hint}</p>
      {action.busy && <p role="status">{loading}</p>}
      <Fault action={action} />
      {answer && <Form key={answer.version} answer={answer} onAnswer={setAnswer} />}
    </Frame>
  );
}

function Form({ answer, onAnswer }: { answer: Answer; onAnswer: (answer: Answer) => void }) {
  const { profile, save } = words();
  const [fields, setFields] = useState<ProfileFields>(answer.profile ?? {});
  const [wrong, setWrong] = useState<string>();
  const [note, setNote] = useState<'saved' | 'moved'>();
  const action = useAction();
  const submit = (event: Event): void => {
    event.preventDefault();
    setWrong(undefined);
    setNote(undefined);
    void action.run(async () => {
      try {
        const saved = await ask<Answer>('/v1/me/profile', {
          method: 'PUT',
          body: { version: answer.version, profile: told(fields) },
        });
        onAnswer({ ...saved, version: saved.version });
        setNote('saved');
        announce(profile.saved);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        const pointer = error.errors[0]?.pointer.split('/').pop();
        if (pointer) setWrong(pointer);
        if (error.rule !== 'moved') throw error;
        onAnswer(await ask<Answer>('/v1/me/profile'));
        announce(profile.moved);
      }
    });
  };
  return (
    <form class="panel" onSubmit={submit} noValidate>
      {FIELDS.map((name) => (
        <div class="field" key={name}>
          <label for={`profile-${name}`}>{profile[name]}</label>
          <input
            id={`profile-${name}`}
            type={KINDS[name].type as 'text'}
            autoComplete={KINDS[name].autoComplete}
            value={fields[name] ?? ''}
            aria-invalid={wrong === name}
            onInput={(event) => setFields({ ...fields, [name]: event.currentTarget.value })}
          />
        </div>
      ))}
      <fieldset class="choice">
        <legend>{profile.consents}</legend>
        {CONSENTS.map(({ purpose, wording_version }) => (
          <ConsentRow
            key={purpose}
            consents={fields.consents ?? []}
            purpose={purpose}
            wording_version={wording_version}
            onChange={(consents) => setFields({ ...fields, consents })}
          />
        ))}
      </fieldset>
      <Fault action={action} />
      {note && <p class="note good">{profile[note]}</p>}
      <button type="submit" class="primary" aria-disabled={action.busy}>
        {save}
      </button>
    </form>
  );
}

interface ConsentRowProps {
  consents: Consent[];
  purpose: 'newsletter';
  wording_version: string;
  onChange: (consents: Consent[]) => void;
}

/** A consent that ends is kept with its end: what was allowed when must stay to be seen. */
function ConsentRow({ consents, purpose, wording_version, onChange }: ConsentRowProps) {
  const { profile } = words();
  const given = consents.find((consent) => consent.purpose === purpose && !consent.withdrawn_at);
  const turn = (on: boolean): void => {
    const now = new Date(clock.now()).toISOString();
    const others = consents.filter((consent) => consent !== given);
    if (on) onChange([...consents, { purpose, wording_version, given_at: now }]);
    else if (given) onChange([...others, { ...given, withdrawn_at: now }]);
  };
  return (
    <label class="switch">
      <input type="checkbox" checked={given !== undefined} onChange={(event) => turn(event.currentTarget.checked)} />
      <span>
        {profile[purpose]}
        {given && <span class="hint">{profile.given(given.given_at)}</span>}
      </span>
    </label>
  );
}

/** Without what is empty: what is left out is not kept. */
function told(fields: ProfileFields): ProfileFields {
  const text = FIELDS.flatMap((name) => {
    const value = fields[name]?.trim();
    return value ? [[name, value] as const] : [];
  });
  return { ...Object.fromEntries(text), consents: fields.consents ?? [] };
}
