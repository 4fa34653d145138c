// Where merging begins: groups of members that may be one person, or two numbers. Nothing is merged here.

import { useState } from 'preact/hooks';
import type { Candidate, Maybe } from '../answers.ts';
import { isNumber, plainNumber } from '../members/clue.ts';
import { TextField } from '../parts/field.tsx';
import { PagesFoot, usePages } from '../parts/pages.tsx';
import { MemberLink } from '../parts/pieces.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { go } from '../place.ts';
import { format } from '../routes.ts';
import { ask, may } from '../session.ts';
import { term } from '../terms.ts';
import { merging as words } from '../words/merging.ts';
import { shell } from '../words/shell.ts';

export function Candidates() {
  const w = words();
  const pages = usePages<Candidate>('candidates', async (after, signal) => {
    const page = await ask<{ candidates: Candidate[]; next?: Maybe<string> }>(
      'candidates',
      {},
      { query: { after }, signal },
    );
    return { rows: page.candidates, next: page.next };
  });
  return (
    <Screen title={w.title}>
      {may('mergePreview') && <ByHand />}
      <section class="panel">
        <h2>{w.candidates}</h2>
        <p class="hint">{w.candidatesLead}</p>
        {pages.rows && (
          <Table
            caption={w.candidates}
            rows={pages.rows}
            keyOf={(one) => `${one.why} ${one.members.join(' ')}`}
            columns={[
              { name: w.why, heads: true, cell: (one) => term('candidate', one.why) },
              {
                name: w.members,
                cell: (one) => (
                  <span class="row">
                    {one.members.map((member) => (
                      <MemberLink key={member} member={member} />
                    ))}
                  </span>
                ),
              },
              { name: shell().act, cell: (one) => <Compare members={one.members} /> },
            ]}
          />
        )}
        <PagesFoot of={pages} more={w.more} />
      </section>
    </Screen>
  );
}

/** Everybody in a group beside the first. */
function Compare({ members }: { members: string[] }) {
  const w = words();
  const [first, ...others] = members;
  if (!first || !may('mergePreview')) return <>—</>;
  return (
    <span class="row">
      {others.map((other) => (
        <a
          key={other}
          href={format({ at: 'merge', member: other, into: first })}
          aria-label={w.compareOf(other, first)}
        >
          {others.length === 1 ? w.compare : w.compareOf(other, first)}
        </a>
      ))}
    </span>
  );
}

function ByHand() {
  const w = words();
  const [member, setMember] = useState('');
  const [into, setInto] = useState('');
  const [checked, setChecked] = useState(false);
  const fault = (text: string) => (checked && !isNumber(text) ? w.numbersMissing : undefined);
  return (
    <form
      class="panel"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setChecked(true);
        if (isNumber(member) && isNumber(into)) {
          go({ at: 'merge', member: plainNumber(member), into: plainNumber(into) });
        }
      }}
    >
      <h2>{w.byHand}</h2>
      <div class="columns">
        <TextField label={w.alias} value={member} change={setMember} inputMode="numeric" fault={fault(member)} />
        <TextField label={w.stays} value={into} change={setInto} inputMode="numeric" fault={fault(into)} />
      </div>
      <div class="row">
        <button type="submit">{w.compare}</button>
      </div>
    </form>
  );
}
