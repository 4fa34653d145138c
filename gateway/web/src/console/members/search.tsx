// Finding members. What was searched for stays in this page's memory and never in its address.

import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { announce } from '../../kit/announce.tsx';
import { integer } from '../../kit/format.ts';
import type { Found } from '../answers.ts';
import { Fault } from '../parts/fault.tsx';
import { Choice, TextField } from '../parts/field.tsx';
import { Badge, MemberLink } from '../parts/pieces.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { ask, session } from '../session.ts';
import { term } from '../terms.ts';
import { member as words } from '../words/members.ts';
import { shell } from '../words/shell.ts';
import { CLUES, type Clue, clueBody } from './clue.ts';

const FOUND_MAX = 100;

const clue = signal<Clue>('number');
const first = signal('');
const second = signal('');
const found = signal<Found[] | undefined>(undefined);

/** Forgets what was searched for and found; the next person at this screen is another. */
export function forgetSearch(): void {
  clue.value = 'number';
  first.value = '';
  second.value = '';
  found.value = undefined;
}

function names(): Record<Clue, { option: string; first: string; second?: string }> {
  const w = words();
  return {
    number: { option: w.byNumber, first: w.byNumber },
    card_id: { option: w.byCardId, first: w.byCardId },
    card_number: { option: w.byCardNumber, first: w.byCardNumber },
    email: { option: w.byEmail, first: w.byEmail },
    phone: { option: w.byPhone, first: w.byPhone },
    kana: { option: w.byKana, first: w.kana, second: w.birthday },
    customer: { option: w.byCustomer, first: w.shopId, second: w.customerId },
  };
}

export function Search() {
  const w = words();
  const personal = session.value?.me.personal_data ?? false;
  const clues = CLUES.filter((one) => personal || one === 'number' || one === 'card_id');
  const name = names()[clue.value];
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const body = clueBody(clue.value, first.value, second.value);
      const { members } = await ask<{ members: Found[] }>('search', {}, { body });
      found.value = members;
      announce(members.length === 0 ? w.nobody : w.found(members.length));
    } catch (refused) {
      found.value = undefined;
      setError(refused);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Screen title={w.searchTitle}>
      <form
        class="panel search"
        aria-label={w.searchTitle}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Choice
          label={w.searchBy}
          value={clue.value}
          options={clues.map((one) => [one, names()[one].option] as const)}
          change={(next) => {
            clue.value = next;
            first.value = '';
            second.value = '';
          }}
        />
        <TextField
          label={name.first}
          value={first.value}
          change={(text) => {
            first.value = text;
          }}
          inputMode={clue.value === 'number' ? 'numeric' : clue.value === 'email' ? 'email' : 'text'}
          required
          hint={clue.value === 'number' ? w.numberHint : undefined}
        />
        {name.second && (
          <TextField
            label={name.second}
            value={second.value}
            change={(text) => {
              second.value = text;
            }}
            type={clue.value === 'kana' ? 'date' : 'text'}
            required={clue.value === 'customer'}
          />
        )}
        <button type="submit" class="primary" aria-disabled={busy}>
          {w.search}
        </button>
        {!personal && <p class="hint whole">{w.noPersonalData}</p>}
      </form>
      {error !== undefined && <Fault error={error} />}
      {found.value && <Results members={found.value} />}
    </Screen>
  );
}

function Results({ members }: { members: Found[] }) {
  const w = words();
  if (members.length === 0) return <p class="note">{w.nobody}</p>;
  return (
    <section class="panel" aria-labelledby="results">
      <h2 id="results">{w.found(members.length)}</h2>
      {members.length >= FOUND_MAX && <p class="note warn">{w.foundMost}</p>}
      <Table
        caption={w.results}
        rows={members}
        keyOf={(one) => `${one.member_id} ${one.how}`}
        columns={[
          { name: shell().member, heads: true, cell: (one) => <MemberLink member={one.member_no} /> },
          {
            name: shell().status,
            cell: (one) => <Badge kind="status" word={one.erased ? 'erased' : one.status} />,
          },
          { name: w.how, cell: (one) => term('how', one.how) },
          { name: w.rank, cell: (one) => one.rank },
          { name: w.available, number: true, cell: (one) => integer(one.available) },
          { name: w.records, number: true, cell: (one) => integer(one.records) },
          {
            name: w.person,
            cell: (one) => (one.person_no === one.member_no ? '—' : <MemberLink member={one.person_no} />),
          },
        ]}
      />
    </section>
  );
}
