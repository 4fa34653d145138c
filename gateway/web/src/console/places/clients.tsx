// Clients: who and what may call the gateway. A secret is shown once, by the call that made it.

import { useCallback, useState } from 'preact/hooks';
import type { Client, Shop, Terminal } from '../answers.ts';
import { Change } from '../parts/change.tsx';
import { Choice, TextField } from '../parts/field.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { At } from '../parts/pieces.tsx';
import { Screen } from '../parts/screen.tsx';
import { type Secret, SecretDialog } from '../parts/secret.tsx';
import { Table } from '../parts/table.tsx';
import { tell } from '../place.ts';
import { ask, may, session } from '../session.ts';
import { term } from '../terms.ts';
import { places as words } from '../words/places.ts';
import { shell } from '../words/shell.ts';
import { SecretButtons } from './secret-buttons.tsx';

interface WithSecret {
  client_id: string;
  client_secret: string;
}
type Act = { act: 'create' } | { act: 'rotate' | 'disable'; client: Client };

export function Clients() {
  const w = words();
  const loaded = useLoaded('clients', (signal) => ask<{ clients: Client[] }>('clients', {}, { signal }));
  const [doing, setDoing] = useState<Act>();
  const [secret, setSecret] = useState<Secret>();
  const forget = useCallback(() => setSecret(undefined), []);
  const reread = () => void loaded.reload();
  const common = { close: () => setDoing(undefined), reread };
  const made = (answer: WithSecret, note: string) => {
    setSecret({ name: answer.client_id, text: answer.client_secret });
    tell(note);
    reread();
  };
  return (
    <Screen
      title={w.clientsTitle}
      actions={
        may('createClient') && (
          <button type="button" onClick={() => setDoing({ act: 'create' })}>
            {w.newClient}
          </button>
        )
      }
    >
      <section class="panel">
        <p class="hint">{w.clientsLead}</p>
        <Show of={loaded}>{({ clients }) => <ClientTable clients={clients} act={setDoing} />}</Show>
      </section>
      {doing?.act === 'create' && <NewClient {...common} done={(answer) => made(answer, w.clientCreated)} />}
      {doing?.act === 'rotate' && (
        <Change
          title={w.rotateOf(doing.client.client_id)}
          confirm={w.rotate}
          {...common}
          perform={(reason) =>
            ask<WithSecret>('rotateClient', { client: doing.client.client_id }, { body: { reason } })
          }
          done={(answer) => made(answer, w.rotated)}
        >
          <p class="note warn">{w.rotateClientLead}</p>
        </Change>
      )}
      {doing?.act === 'disable' && (
        <Change
          title={w.disableOf(doing.client.client_id)}
          confirm={w.disable}
          danger
          {...common}
          perform={(reason) => ask('disableClient', { client: doing.client.client_id }, { body: { reason } })}
          done={() => {
            tell(w.disabled);
            reread();
          }}
        >
          <p class="note warn">{w.disableClientLead}</p>
        </Change>
      )}
      {secret && <SecretDialog secret={secret} close={forget} />}
    </Screen>
  );
}

function ClientTable({ clients, act }: { clients: Client[]; act: (act: Act) => void }) {
  const w = words();
  const own = session.value?.client;
  return (
    <Table
      caption={w.clientsTitle}
      rows={clients}
      keyOf={(client) => client.client_id}
      columns={[
        { name: w.clientId, heads: true, cell: (client) => client.client_id },
        { name: w.scope, cell: (client) => client.scopes.map((scope) => term('scope', scope)).join(', ') },
        { name: w.role, cell: (client) => term('role', client.role) || '—' },
        { name: w.till, cell: (client) => client.terminal_id || '—' },
        { name: shell().shop, cell: (client) => client.shop_id || '—' },
        { name: shell().created, cell: (client) => <At at={client.created_at} /> },
        {
          name: shell().status,
          cell: (client) =>
            client.disabled_at ? (
              <span>
                <span class="badge bad">{w.disabledAt}</span> <At at={client.disabled_at} />
              </span>
            ) : (
              <span class="badge good">{w.active}</span>
            ),
        },
        {
          name: shell().act,
          cell: (client) => (
            <SecretButtons
              name={client.client_id}
              {...(may('rotateClient') &&
                !client.disabled_at &&
                // Somebody else's secret would make two of one person.
                (!client.scopes.includes('admin') || client.client_id === own) && {
                  rotate: () => act({ act: 'rotate', client }),
                })}
              {...(may('disableClient') &&
                !client.disabled_at &&
                client.client_id !== own && { disable: () => act({ act: 'disable', client }) })}
            />
          ),
        },
      ]}
    />
  );
}

/** Clients of staff are made at the command line. */
const SCOPES = ['pos', 'ec'] as const;

interface NewClientProps {
  close: () => void;
  reread: () => void;
  done: (answer: WithSecret) => void;
}

function NewClient({ close, reread, done }: NewClientProps) {
  const w = words();
  const tills = useLoaded('tills', (signal) => ask<{ terminals: Terminal[] }>('terminals', {}, { signal }));
  const shops = useLoaded('shops', (signal) => ask<{ shops: Shop[] }>('shops', {}, { signal }));
  const [id, setId] = useState('');
  const [scope, setScope] = useState<(typeof SCOPES)[number]>('pos');
  const [till, setTill] = useState('');
  const [shop, setShop] = useState('');
  const [checked, setChecked] = useState(false);
  const tillIds = tills.data?.terminals.map((one) => one.terminal_id) ?? [];
  const shopIds = shops.data?.shops.map((one) => one.shop_id) ?? [];
  const terminal_id = till || tillIds[0];
  const shop_id = shop || shopIds[0];
  const belongs = scope === 'pos' ? { terminal_id } : { shop_id };
  return (
    <Change
      title={w.newClient}
      confirm={w.create}
      close={close}
      reread={reread}
      wrong={() => {
        setChecked(true);
        return id.trim() === '';
      }}
      perform={(reason) =>
        ask<WithSecret>('createClient', {}, { body: { client_id: id.trim(), scope, ...belongs, reason } })
      }
      done={done}
    >
      <TextField
        label={w.clientId}
        hint={w.idHint}
        value={id}
        change={setId}
        fault={checked && id.trim() === '' ? w.idMissing : undefined}
        required
      />
      <Choice
        label={w.scope}
        value={scope}
        options={SCOPES.map((one) => [one, term('scope', one)] as const)}
        change={setScope}
      />
      {scope === 'pos' && (
        <Choice
          label={w.till}
          value={terminal_id ?? ''}
          options={tillIds.map((one) => [one, one] as const)}
          change={setTill}
        />
      )}
      {scope === 'ec' && (
        <Choice
          label={shell().shop}
          value={shop_id ?? ''}
          options={shopIds.map((one) => [one, one] as const)}
          change={setShop}
        />
      )}
    </Change>
  );
}
