// Two members side by side, and what they will be as one. The comparison comes first; only then the question.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { integer } from '../../kit/format.ts';
import type { MergePreview, Side } from '../answers.ts';
import { LotTable } from '../members/lots.tsx';
import { Change } from '../parts/change.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { Badge, Id, MemberLink } from '../parts/pieces.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { goAndTell } from '../place.ts';
import { format } from '../routes.ts';
import { ask, may } from '../session.ts';
import { term } from '../terms.ts';
import { merging as words } from '../words/merging.ts';

export function Merge({ member, into }: { member: string; into: string }) {
  const w = words();
  const body = { member, into };
  const loaded = useLoaded(`${member} ${into}`, (signal) => ask<MergePreview>('mergePreview', {}, { body, signal }));
  const [asking, setAsking] = useState(false);
  return (
    <Screen
      title={w.mergeTitle}
      actions={
        <a class="button" href={format({ at: 'merge', member: into, into: member })}>
          {w.swap}
        </a>
      }
    >
      <p>{w.mergeLead}</p>
      <Show of={loaded}>
        {(preview) => (
          <>
            <Comparison preview={preview} />
            {!preview.allowed && (
              <p class="note bad">
                {w.notAllowed}: {term('rule', preview.refusal)}
              </p>
            )}
            {preview.allowed && may('merge') && (
              <div class="row end">
                <button type="button" class="primary" onClick={() => setAsking(true)}>
                  {w.mergeOf(preview.alias.member_no, preview.stays.member_no)}
                </button>
              </div>
            )}
            {asking && (
              <Change
                title={w.mergeOf(preview.alias.member_no, preview.stays.member_no)}
                confirm={w.merge}
                close={() => setAsking(false)}
                reread={() => void loaded.reload()}
                perform={(reason) => ask<{ person: Side }>('merge', {}, { body: { ...body, reason } })}
                done={({ person }) => goAndTell({ at: 'member', member: person.member_no, tab: 'merges' }, w.merged)}
              />
            )}
          </>
        )}
      </Show>
    </Screen>
  );
}

function Comparison({ preview }: { preview: MergePreview }) {
  const w = words();
  const sides: [name: string, side: Side][] = [
    [w.alias, preview.alias],
    [w.stays, preview.stays],
    ...(preview.after ? ([[w.after, preview.after]] as [string, Side][]) : []),
  ];
  const lines: { name: string; of: (side: Side) => ComponentChildren; number?: boolean }[] = [
    { name: w.number, of: (side) => <MemberLink member={side.member_no} /> },
    { name: w.status, of: (side) => <Badge kind="status" word={side.status} /> },
    { name: w.rank, of: (side) => side.rank },
    { name: w.available, of: (side) => <b>{integer(side.points.available)}</b> },
    { name: w.held, of: (side) => integer(side.points.held) },
    { name: w.pending, of: (side) => integer(side.points.pending) },
    { name: w.owed, of: (side) => integer(side.points.owed) },
    { name: w.records, of: (side) => integer(side.records) },
    { name: w.cards, of: (side) => integer(side.cards) },
    { name: w.identities, of: (side) => integer(side.identities) },
  ];
  return (
    <>
      <section class="panel">
        <h2>{w.comparison}</h2>
        <Table
          caption={w.comparison}
          rows={lines}
          keyOf={(line) => line.name}
          columns={[
            { name: w.comparison, heads: true, cell: (line) => line.name },
            ...sides.map(([name, side]) => ({
              name,
              number: true,
              cell: (line: (typeof lines)[number]) => line.of(side),
            })),
          ]}
        />
      </section>
      {sides.map(([name, side]) => (
        <details key={name} class="panel">
          <summary>{w.lotsOf(name)}</summary>
          <LotTable caption={w.lotsOf(name)} lots={side.lots} recordOf={(lot) => <Id id={lot.member_id} />} />
        </details>
      ))}
    </>
  );
}
