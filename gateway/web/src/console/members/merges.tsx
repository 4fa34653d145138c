// What was merged and parted, and the ways to both. Each leads to a comparison first.

import { useState } from 'preact/hooks';
import type { Person } from '../answers.ts';
import { TextField } from '../parts/field.tsx';
import { At } from '../parts/pieces.tsx';
import { Table } from '../parts/table.tsx';
import { go } from '../place.ts';
import { format } from '../routes.ts';
import { may } from '../session.ts';
import { term } from '../terms.ts';
import { member as words } from '../words/members.ts';
import { shell } from '../words/shell.ts';
import { isNumber, plainNumber } from './clue.ts';
import { numberOf } from './show.tsx';

export function Merges({ person }: { person: Person }) {
  const w = words();
  const parts = person.records.filter((record) => record.merged_into);
  return (
    <>
      {may('mergePreview') && !person.erased_at && <MergeWith person={person} />}
      {may('unmergePreview') && parts.length > 0 && (
        <section class="panel">
          <h2>{w.part}</h2>
          <ul class="plain row">
            {parts.map((record) => (
              <li key={record.member_id}>
                <a class="button" href={format({ at: 'unmerge', member: record.member_no })}>
                  {w.partOf(record.member_no)}
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section class="panel">
        <h2>{w.mergeHistory}</h2>
        <Table
          caption={w.mergeHistory}
          rows={person.merges}
          keyOf={(merge) => merge.merge_id}
          columns={[
            { name: shell().at, cell: (merge) => <At at={merge.at} /> },
            { name: w.what, heads: true, cell: (merge) => term('merge', merge.act) },
            { name: w.record, cell: (merge) => numberOf(person, merge.member_id) },
            { name: w.into, cell: (merge) => numberOf(person, merge.into_member_id) },
            { name: w.proof, cell: (merge) => term('proof', merge.proof) },
            { name: shell().by, cell: (merge) => <span class="still">{merge.actor}</span> },
            { name: shell().reason, wide: true, cell: (merge) => merge.reason || '—' },
          ]}
        />
      </section>
    </>
  );
}

function MergeWith({ person }: { person: Person }) {
  const w = words();
  const [other, setOther] = useState('');
  const [fault, setFault] = useState<string>();
  return (
    <form
      class="panel"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isNumber(other)) go({ at: 'merge', member: plainNumber(other), into: person.member_no });
        else setFault(w.numberMissing);
      }}
    >
      <h2>{w.mergeWith}</h2>
      <TextField
        label={w.otherNumber}
        hint={w.otherHint}
        fault={fault}
        inputMode="numeric"
        value={other}
        change={(text) => {
          setOther(text);
          setFault(undefined);
        }}
      />
      <div class="row">
        <button type="submit">{w.mergeNext}</button>
      </div>
    </form>
  );
}
