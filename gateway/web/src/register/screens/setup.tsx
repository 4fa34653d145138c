// The first opening: who this till is. The secret stays in this browser, and the page says so.

import { useId, useState } from 'preact/hooks';
import { type SetupFault, setUp } from '../boot.ts';
import { words } from '../words.ts';

export function Setup({ foreign }: { foreign?: string }) {
  const [clientId, setClientId] = useState('');
  const [clientSecret, setClientSecret] = useState('');
  const [fault, setFault] = useState<SetupFault | 'missing'>();
  const [busy, setBusy] = useState(false);
  const text = words().setup;

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (clientId.trim() === '' || clientSecret.trim() === '') {
      setFault('missing');
      return;
    }
    setBusy(true);
    setFault(await setUp({ clientId: clientId.trim(), clientSecret: clientSecret.trim() }));
    setBusy(false);
  };
  return (
    <form class="panel" onSubmit={submit} noValidate>
      <h2>{text.title}</h2>
      <p>{text.intro}</p>
      {foreign !== undefined && (
        <p class="note bad" role="alert">
          {words().foreign(foreign)}
        </p>
      )}
      <Field label={text.clientId} value={clientId} onValue={setClientId} />
      <Field label={text.clientSecret} value={clientSecret} onValue={setClientSecret} secret />
      <p class="note warn">{text.kept}</p>
      {fault && (
        <p class="note bad" role="alert">
          {text[fault]}
        </p>
      )}
      <button type="submit" class="primary" disabled={busy}>
        {busy ? words().working : text.open}
      </button>
      <p class="hint">{text.demoHint}</p>
      <button
        type="button"
        onClick={() => {
          setClientId('till-1');
          setClientSecret('demo-till-1-secret');
        }}
      >
        {text.demo}
      </button>
    </form>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  secret?: boolean;
}

function Field({ label, value, onValue, secret = false }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {secret ? (
        <input
          id={id}
          type="password"
          value={value}
          autocomplete="off"
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      ) : (
        <input
          id={id}
          type="text"
          value={value}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </div>
  );
}
