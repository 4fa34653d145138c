// Parts of a record that are only shown: records, identities, and who opened it.

import { integer } from '../../kit/format.ts';
import type { Person } from '../answers.ts';
import { At, Badge, MemberLink } from '../parts/pieces.tsx';
import { Table } from '../parts/table.tsx';
import { term } from '../terms.ts';
import { member as words } from '../words/members.ts';
import { shell } from '../words/shell.ts';
import { dayOr, numberOf } from './show.tsx';

export function Records({ person }: { person: Person }) {
  const w = words();
  return (
    <section class="panel">
      <h2>{w.records}</h2>
      <Table
        caption={w.records}
        rows={person.records}
        keyOf={(record) => record.member_id}
        columns={[
          { name: shell().member, heads: true, cell: (record) => <MemberLink member={record.member_no} /> },
          { name: shell().status, cell: (record) => <Badge kind="status" word={record.status} /> },
          { name: w.available, number: true, cell: (record) => integer(record.available) },
          { name: w.held, number: true, cell: (record) => integer(record.held) },
          { name: w.pending, number: true, cell: (record) => integer(record.pending) },
          { name: w.owed, number: true, cell: (record) => integer(record.owed) },
          { name: w.enrolled, cell: (record) => <At at={record.enrolled_at} /> },
          { name: w.lastActivity, cell: (record) => dayOr(record.last_activity_on, '—') },
          { name: w.earnOnlyUntil, cell: (record) => <At at={record.earn_only_until} /> },
          { name: w.mergedInto, cell: (record) => (record.merged_into ? numberOf(person, record.merged_into) : '—') },
        ]}
      />
    </section>
  );
}

export function Identities({ person }: { person: Person }) {
  const w = words();
  return (
    <section class="panel">
      <h2>{w.identities}</h2>
      <Table
        caption={w.identities}
        rows={person.identities}
        keyOf={(one) => `${one.member_id} ${one.kind} ${one.issuer} ${one.label} ${one.proven_at}`}
        columns={[
          { name: w.kind, heads: true, cell: (one) => term('identity', one.kind) },
          { name: w.label, wide: true, cell: (one) => [one.issuer, one.label].filter(Boolean).join(' · ') },
          { name: w.proof, cell: (one) => term('proof', one.proof) },
          { name: w.provenAt, cell: (one) => <At at={one.proven_at} /> },
          { name: w.revokedAt, cell: (one) => <At at={one.revoked_at} /> },
          { name: w.record, cell: (one) => numberOf(person, one.member_id) },
          { name: shell().by, cell: (one) => <span class="still">{one.actor}</span> },
        ]}
      />
    </section>
  );
}

export function Accesses({ person }: { person: Person }) {
  const w = words();
  return (
    <section class="panel">
      <h2>{w.accesses}</h2>
      <p class="hint">{w.accessesLead}</p>
      <Table
        caption={w.accesses}
        rows={person.accesses.map((access, index) => ({ ...access, index }))}
        keyOf={(access) => `${access.index} ${access.at}`}
        columns={[
          { name: shell().at, cell: (access) => <At at={access.at} /> },
          { name: shell().by, heads: true, cell: (access) => <span class="still">{access.actor}</span> },
          { name: w.what, cell: (access) => term('access', access.what) },
          { name: w.purpose, wide: true, cell: (access) => access.purpose },
          { name: w.record, cell: (access) => numberOf(person, access.member_id) },
        ]}
      />
    </section>
  );
}
