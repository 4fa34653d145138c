// The audit trail: every change at the console, newest first.

import { integer } from '../../kit/format.ts';
import type { Act, Maybe } from '../answers.ts';
import { namedCall } from '../calls.ts';
import { PagesFoot, usePages } from '../parts/pages.tsx';
import { At, Badge, Id } from '../parts/pieces.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { format } from '../routes.ts';
import { ask } from '../session.ts';
import { term } from '../terms.ts';
import { shell } from '../words/shell.ts';
import { watch as words } from '../words/watch.ts';

const PAGE_ACTS = 50;

/** What an act is called; its own text where this page has no name for it. */
function actName(act: string): string {
  const names: Record<string, string> = words().actNames;
  return names[namedCall(act) ?? ''] ?? act;
}

export function Acts() {
  const w = words();
  const pages = usePages<Act>('acts', async (before, signal) => {
    const query = { before, limit: PAGE_ACTS };
    const page = await ask<{ acts: Act[]; next?: Maybe<string> }>('acts', {}, { query, signal });
    return { rows: page.acts, next: page.next };
  });
  return (
    <Screen title={w.acts}>
      <section class="panel">
        <p class="hint">{w.actsLead}</p>
        {pages.rows && (
          <Table
            caption={w.acts}
            rows={pages.rows}
            keyOf={(act) => act.act_id}
            columns={[
              { name: shell().at, cell: (act) => <At at={act.at} /> },
              { name: shell().by, heads: true, cell: (act) => <span class="still">{act.actor}</span> },
              { name: w.role, cell: (act) => term('role', act.role) },
              { name: shell().act, cell: (act) => <span title={act.act}>{actName(act.act)}</span> },
              { name: w.subject, cell: (act) => <Subject of={act.subject} /> },
              { name: shell().points, number: true, cell: (act) => (act.points == null ? '—' : integer(act.points)) },
              { name: shell().reason, wide: true, cell: (act) => act.reason || '—' },
              { name: w.outcome, cell: (act) => <Outcome of={act.outcome} /> },
            ]}
          />
        )}
        <PagesFoot of={pages} />
      </section>
    </Screen>
  );
}

function Outcome({ of }: { of: string }) {
  const [word = '', why] = of.split(': ', 2);
  return (
    <span class="row tight">
      <Badge kind="outcome" word={word} />
      {why && term('rule', why)}
    </span>
  );
}

function Subject({ of }: { of: string | null | undefined }) {
  if (!of) return <>—</>;
  const [kind, id] = of.split('/', 2);
  if (kind !== 'member' || !id) return <code>{of}</code>;
  return (
    <a href={format({ at: 'member', member: id, tab: 'overview' })}>
      member/
      <Id id={id} />
    </a>
  );
}
