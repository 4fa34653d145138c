// What happened to a person's points, newest first, and why.

import { day, integer, signed } from '../../kit/format.ts';
import type { Entry, Maybe, Person } from '../answers.ts';
import { PagesFoot, usePages } from '../parts/pages.tsx';
import { At } from '../parts/pieces.tsx';
import { Table } from '../parts/table.tsx';
import { ask } from '../session.ts';
import { term } from '../terms.ts';
import { member as words } from '../words/members.ts';
import { shell } from '../words/shell.ts';
import { numberOf } from './show.tsx';
import { WhyButton } from './why.tsx';

const PAGE_ENTRIES = 20;

export function History({ member, person }: { member: string; person: Person }) {
  const w = words();
  // The person read anew is another list: what was booked meanwhile stands on top.
  const key = `${member} ${JSON.stringify(person.points)}`;
  const pages = usePages<Entry>(key, async (before, signal) => {
    const query = { before, limit: PAGE_ENTRIES };
    const page = await ask<{ entries: Entry[]; next?: Maybe<string> }>('history', { member }, { query, signal });
    return { rows: page.entries, next: page.next };
  });
  return (
    <section class="panel">
      <h2>{w.history}</h2>
      {pages.rows && (
        <Table
          caption={w.history}
          rows={pages.rows}
          keyOf={(entry) => entry.id}
          columns={[
            { name: shell().at, cell: (entry) => <At at={entry.at} /> },
            { name: w.motive, heads: true, cell: (entry) => term('motive', entry.motive) },
            { name: w.change, number: true, cell: (entry) => <b>{signed(entry.change)}</b> },
            {
              name: w.why,
              cell: (entry) => (
                <WhyButton
                  member={member}
                  entry={entry.id}
                  about={`${term('motive', entry.motive)} ${day(entry.business_date)}`}
                />
              ),
            },
            { name: w.moved, number: true, cell: (entry) => integer(entry.points) },
            { name: w.from, cell: (entry) => term('account', entry.debit) },
            { name: w.to, cell: (entry) => term('account', entry.credit) },
            { name: shell().store, cell: (entry) => entry.store_id || '—' },
            { name: w.businessDate, cell: (entry) => <span class="still">{day(entry.business_date)}</span> },
            { name: w.record, cell: (entry) => numberOf(person, entry.member_id) },
          ]}
        />
      )}
      <PagesFoot of={pages} />
    </section>
  );
}
