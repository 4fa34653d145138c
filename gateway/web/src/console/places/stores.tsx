// Stores and their tills.

import { useState } from 'preact/hooks';
import type { StoreRow, Terminal } from '../answers.ts';
import { Change } from '../parts/change.tsx';
import { Choice, TextField } from '../parts/field.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { At } from '../parts/pieces.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { tell } from '../place.ts';
import { ask, may } from '../session.ts';
import { places as words } from '../words/places.ts';
import { shell } from '../words/shell.ts';

interface CreateProps {
  close: () => void;
  reread: () => void;
}

export function Stores() {
  const w = words();
  const stores = useLoaded('stores', (signal) => ask<{ stores: StoreRow[] }>('stores', {}, { signal }));
  const tills = useLoaded('tills', (signal) => ask<{ terminals: Terminal[] }>('terminals', {}, { signal }));
  const [making, setMaking] = useState<'store' | 'till'>();
  const close = () => setMaking(undefined);
  return (
    <Screen
      title={shell().stores}
      actions={
        <>
          {may('createStore') && (
            <button type="button" onClick={() => setMaking('store')}>
              {w.newStore}
            </button>
          )}
          {may('createTerminal') && stores.data && stores.data.stores.length > 0 && (
            <button type="button" onClick={() => setMaking('till')}>
              {w.newTill}
            </button>
          )}
        </>
      }
    >
      <section class="panel">
        <h2>{w.stores}</h2>
        <Show of={stores}>
          {(data) => (
            <Table
              caption={w.stores}
              rows={data.stores}
              keyOf={(store) => store.store_id}
              columns={[
                { name: w.storeId, heads: true, cell: (store) => store.store_id },
                { name: w.name, wide: true, cell: (store) => store.name },
                { name: w.ofShop, cell: (store) => store.shop_id || '—' },
                { name: shell().created, cell: (store) => <At at={store.created_at} /> },
              ]}
            />
          )}
        </Show>
      </section>
      <section class="panel">
        <h2>{w.tills}</h2>
        <Show of={tills}>
          {(data) => (
            <Table
              caption={w.tills}
              rows={data.terminals}
              keyOf={(till) => till.terminal_id}
              columns={[
                { name: w.tillId, heads: true, cell: (till) => till.terminal_id },
                { name: shell().store, cell: (till) => till.store_id },
                { name: shell().created, cell: (till) => <At at={till.created_at} /> },
              ]}
            />
          )}
        </Show>
      </section>
      {making === 'store' && <NewStore close={close} reread={() => void stores.reload()} />}
      {making === 'till' && (
        <NewTill close={close} reread={() => void tills.reload()} stores={stores.data?.stores ?? []} />
      )}
    </Screen>
  );
}

function NewStore({ close, reread }: CreateProps) {
  const w = words();
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  const [checked, setChecked] = useState(false);
  return (
    <Change
      title={w.newStore}
      confirm={w.create}
      close={close}
      reread={reread}
      wrong={() => {
        setChecked(true);
        return id.trim() === '' || name.trim() === '';
      }}
      perform={(reason) => ask('createStore', {}, { body: { store_id: id.trim(), name: name.trim(), reason } })}
      done={() => {
        tell(w.storeCreated);
        reread();
      }}
    >
      <TextField
        label={w.storeId}
        hint={w.idHint}
        value={id}
        change={setId}
        fault={checked && id.trim() === '' ? w.idMissing : undefined}
        required
      />
      <TextField
        label={w.name}
        value={name}
        change={setName}
        fault={checked && name.trim() === '' ? w.nameMissing : undefined}
        required
      />
    </Change>
  );
}

function NewTill({ close, reread, stores }: CreateProps & { stores: StoreRow[] }) {
  const w = words();
  const [id, setId] = useState('');
  const [store, setStore] = useState(stores[0]?.store_id ?? '');
  const [checked, setChecked] = useState(false);
  return (
    <Change
      title={w.newTill}
      confirm={w.create}
      close={close}
      reread={reread}
      wrong={() => {
        setChecked(true);
        return id.trim() === '';
      }}
      perform={(reason) => ask('createTerminal', {}, { body: { terminal_id: id.trim(), store_id: store, reason } })}
      done={() => {
        tell(w.tillCreated);
        reread();
      }}
    >
      <TextField
        label={w.tillId}
        hint={w.idHint}
        value={id}
        change={setId}
        fault={checked && id.trim() === '' ? w.idMissing : undefined}
        required
      />
      <Choice
        label={shell().store}
        value={store}
        options={stores.map((one) => [one.store_id, `${one.store_id} ${one.name}`] as const)}
        change={setStore}
      />
    </Change>
  );
}
