// Signing in, at first and again. The secret lives in the form and in the one request that carries it.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Dialog } from '../kit/dialog.tsx';
import type { OpenIdIssuer } from './answers.ts';
import { Fault } from './parts/fault.tsx';
import { TextField } from './parts/field.tsx';
import { useLoaded } from './parts/loaded.tsx';
import { leaveForOpenId, openIdAgain, session, signInWithClient, signOut, ways } from './session.ts';
import { shell } from './words/shell.ts';

function ClientForm({ known }: { known?: string | undefined }) {
  const words = shell();
  const [client, setClient] = useState(known ?? '');
  const [secret, setSecret] = useState('');
  const [error, setError] = useState<unknown>();
  const [sending, setSending] = useState(false);
  const submit = async () => {
    if (sending) return;
    setSending(true);
    setError(undefined);
    try {
      await signInWithClient(client.trim(), secret);
    } catch (refused) {
      setError(refused);
      setSending(false);
    }
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <TextField
        label={words.clientId}
        value={client}
        change={setClient}
        autocomplete="username"
        name="client_id"
        required
      />
      <TextField
        label={words.clientSecret}
        value={secret}
        change={setSecret}
        type="password"
        autocomplete="current-password"
        name="client_secret"
        required
      />
      {error !== undefined && <Fault error={error} />}
      <button type="submit" class="primary" aria-disabled={sending}>
        {sending ? words.sending : words.signIn}
      </button>
    </form>
  );
}

function IssuerButtons({
  issuers,
  start,
}: {
  issuers: OpenIdIssuer[];
  start: (issuer: OpenIdIssuer) => Promise<void>;
}) {
  const words = shell();
  const [error, setError] = useState<unknown>();
  return (
    <>
      {issuers.map((issuer) => (
        <button key={issuer.issuer} type="button" onClick={() => void start(issuer).catch(setError)}>
          {words.withOpenId(issuer.name)}
        </button>
      ))}
      {error !== undefined && <Fault error={error} />}
    </>
  );
}

/** The first screen. */
export function SignIn({ refused }: { refused?: unknown }) {
  const words = shell();
  const known = useLoaded('ways', ways);
  const issuers = known.data?.openid ?? [];
  const withClient = known.data?.client_credentials ?? true;
  return (
    <div class="panel sign-in">
      <h1>{words.signIn}</h1>
      {refused !== undefined && <Fault error={refused} />}
      {known.error !== undefined && <p class="note warn">{words.waysUnknown}</p>}
      {withClient && (
        <>
          <p class="hint">{words.signInLead}</p>
          <ClientForm />
        </>
      )}
      {withClient && issuers.length > 0 && <p class="hint">{words.or}</p>}
      <IssuerButtons issuers={issuers} start={leaveForOpenId} />
    </div>
  );
}

/** Over whatever is open, when the token has ended. */
export function SignInAgain() {
  const words = shell();
  const before = session.value;
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  return (
    <Dialog title={words.signInAgain} onClose={() => {}}>
      <p>{words.signInAgainLead}</p>
      {before?.issuer ? (
        <IssuerButtons issuers={[before.issuer]} start={(issuer) => openIdAgain(issuer, stop.current.signal)} />
      ) : (
        <ClientForm known={before?.client} />
      )}
      <div class="row">
        <button type="button" class="quiet" onClick={signOut}>
          {words.signOut}
        </button>
      </div>
    </Dialog>
  );
}
