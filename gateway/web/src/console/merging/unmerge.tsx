// What leaves when a record is parted from the one it was merged into. Looked at first, then asked.

import { useState } from 'preact/hooks';
import { integer } from '../../kit/format.ts';
import type { UnmergeReport } from '../answers.ts';
import { LotTable } from '../members/lots.tsx';
import { Change } from '../parts/change.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { Facts, Id } from '../parts/pieces.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { goAndTell } from '../place.ts';
import { format } from '../routes.ts';
import { ask, may } from '../session.ts';
import { merging as words } from '../words/merging.ts';
import { shell } from '../words/shell.ts';

export function Unmerge({ member }: { member: string }) {
  const w = words();
  const loaded = useLoaded(member, (signal) => ask<UnmergeReport>('unmergePreview', {}, { body: { member }, signal }));
  const [asking, setAsking] = useState(false);
  return (
    <Screen
      title={w.unmergeTitle(member)}
      actions={<a href={format({ at: 'member', member, tab: 'merges' })}>{w.toMember}</a>}
    >
      <p>{w.unmergeLead}</p>
      <Show of={loaded}>
        {(report) => (
          <>
            <Report report={report} />
            {may('unmerge') && (
              <div class="row end">
                <button type="button" class="primary" onClick={() => setAsking(true)}>
                  {w.unmerge}
                </button>
              </div>
            )}
          </>
        )}
      </Show>
      {asking && (
        <Change
          title={w.unmergeTitle(member)}
          confirm={w.unmerge}
          close={() => setAsking(false)}
          reread={() => void loaded.reload()}
          perform={(reason) => ask<UnmergeReport>('unmerge', {}, { body: { member, reason } })}
          done={() => goAndTell({ at: 'member', member, tab: 'merges' }, w.unmerged)}
        />
      )}
    </Screen>
  );
}

function Report({ report }: { report: UnmergeReport }) {
  const w = words();
  return (
    <>
      <section class="panel">
        <h2>{w.leaving}</h2>
        <ul class="plain row">
          {report.records.map((record) => (
            <li key={record}>
              <Id id={record} />
            </li>
          ))}
        </ul>
        <h3>{w.stayPoints}</h3>
        <Facts
          of={[
            [w.available, integer(report.points.available)],
            [w.held, integer(report.points.held)],
            [w.pending, integer(report.points.pending)],
            [w.owed, integer(report.points.owed)],
          ]}
        />
      </section>
      <section class="panel">
        <h2>{w.lots}</h2>
        <LotTable caption={w.lots} lots={report.lots} recordOf={(lot) => <Id id={lot.member_id} />} />
      </section>
      <section class="panel">
        <h2>{w.spentAcross}</h2>
        <p class="hint">{w.spentLead}</p>
        <Table
          caption={w.spentAcross}
          rows={report.spent_across}
          keyOf={(spent) => `${spent.lot_id} ${spent.by_member_id}`}
          columns={[
            { name: w.lot, heads: true, cell: (spent) => <Id id={spent.lot_id} /> },
            { name: w.of, cell: (spent) => <Id id={spent.of_member_id} /> },
            { name: w.by, cell: (spent) => <Id id={spent.by_member_id} /> },
            { name: shell().points, number: true, cell: (spent) => integer(spent.points) },
            { name: w.parted, cell: (spent) => (spent.by_the_parted ? shell().yes : shell().no) },
          ]}
        />
      </section>
    </>
  );
}
