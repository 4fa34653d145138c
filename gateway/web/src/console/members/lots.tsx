// The points of a person: lots that still have some, and what open baskets hold.

import type { ComponentChildren } from 'preact';
import { integer } from '../../kit/format.ts';
import type { Lot, Person } from '../answers.ts';
import { At, Id } from '../parts/pieces.tsx';
import { Table } from '../parts/table.tsx';
import { term } from '../terms.ts';
import { member as words } from '../words/members.ts';
import { shell } from '../words/shell.ts';
import { dayOr, numberOf, reach } from './show.tsx';
import { WhyButton } from './why.tsx';

export function Lots({ member, person }: { member: string; person: Person }) {
  const w = words();
  return (
    <>
      <section class="panel">
        <h2>{w.lots}</h2>
        <LotTable
          caption={w.lots}
          lots={person.lots}
          recordOf={(lot) => numberOf(person, lot.member_id)}
          why={(lot) => <WhyButton member={member} entry={lot.lot_id} about={`${lot.class} ${integer(lot.granted)}`} />}
        />
      </section>
      <section class="panel">
        <h2>{w.holds}</h2>
        <Table
          caption={w.holds}
          rows={person.holds}
          keyOf={(hold) => hold.authorization_id}
          columns={[
            { name: w.basket, heads: true, cell: (hold) => hold.basket_id },
            { name: shell().points, number: true, cell: (hold) => integer(hold.points) },
            { name: shell().store, cell: (hold) => hold.store_id },
            { name: w.till, cell: (hold) => hold.terminal_id },
            { name: w.heldAt, cell: (hold) => <At at={hold.held_at} /> },
            { name: w.until, cell: (hold) => <At at={hold.expires_at} /> },
            { name: w.record, cell: (hold) => numberOf(person, hold.member_id) },
          ]}
        />
      </section>
    </>
  );
}

export interface LotTableProps {
  caption: string;
  lots: Lot[];
  recordOf: (lot: Lot) => ComponentChildren;
  why?: (lot: Lot) => ComponentChildren;
}

export function LotTable({ caption, lots, recordOf, why }: LotTableProps) {
  const w = words();
  return (
    <Table
      caption={caption}
      rows={lots}
      keyOf={(lot) => lot.lot_id}
      columns={[
        { name: w.class, heads: true, cell: (lot) => lot.class },
        { name: w.available, number: true, cell: (lot) => integer(lot.available) },
        ...(why ? [{ name: w.why, cell: why }] : []),
        { name: w.held, number: true, cell: (lot) => integer(lot.held) },
        { name: w.pending, number: true, cell: (lot) => integer(lot.pending) },
        { name: w.granted, number: true, cell: (lot) => integer(lot.granted) },
        { name: w.expiresOn, cell: (lot) => dayOr(lot.expires_on, shell().never) },
        { name: w.scope, wide: true, cell: (lot) => reach(lot.scope) },
        { name: w.origin, cell: (lot) => term('motive', lot.origin.split(':')[0]) },
        { name: w.openedAt, cell: (lot) => <At at={lot.opened_at} /> },
        { name: w.programmeVersion, number: true, cell: (lot) => integer(lot.programme_version) },
        { name: w.record, cell: recordOf },
        { name: w.lentBy, cell: (lot) => (lot.lent_by ? <Id id={lot.lent_by} /> : '—') },
      ]}
    />
  );
}
