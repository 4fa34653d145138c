// Adjustments that wait for another person, and what became of those before.

import { useState } from 'preact/hooks';
import { integer, points } from '../../kit/format.ts';
import type { Proposal } from '../answers.ts';
import { Change } from '../parts/change.tsx';
import { Choice } from '../parts/field.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { At, Badge, Facts, MemberLink } from '../parts/pieces.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { go, tell } from '../place.ts';
import { ask, may, session } from '../session.ts';
import { term } from '../terms.ts';
import { member as words } from '../words/members.ts';
import { shell } from '../words/shell.ts';
import { reach } from './show.tsx';

export function Proposals({ state }: { state: 'open' | 'all' }) {
  const w = words();
  const loaded = useLoaded(`proposals ${state}`, (signal) =>
    ask<{ proposals: Proposal[] }>('proposals', {}, { query: { state }, signal }),
  );
  return (
    <Screen title={w.proposalsTitle}>
      <div class="panel">
        <div class="narrow">
          <Choice
            label={w.proposalsShown}
            value={state}
            options={[
              ['open', w.proposalsOpen],
              ['all', w.proposalsAll],
            ]}
            change={(next) => go({ at: 'proposals', state: next })}
          />
        </div>
        <Show of={loaded}>
          {({ proposals }) => <ProposalTable proposals={proposals} reread={() => void loaded.reload()} />}
        </Show>
      </div>
    </Screen>
  );
}

type Decision = { decide: 'approve' | 'refuse'; proposal: Proposal; own: boolean };

function what(proposal: Proposal): string {
  return `${proposal.member_no} ${term('direction', proposal.direction)} ${points(proposal.points)}`;
}

export function ProposalTable({ proposals, reread }: { proposals: Proposal[]; reread: () => void }) {
  const w = words();
  const [deciding, setDeciding] = useState<Decision>();
  const actor = session.value?.me.actor;
  return (
    <>
      <Table
        caption={w.proposalsTitle}
        rows={proposals}
        keyOf={(one) => one.proposal_id}
        columns={[
          { name: shell().member, heads: true, cell: (one) => <MemberLink member={one.member_no} /> },
          { name: w.direction, cell: (one) => term('direction', one.direction) },
          { name: shell().points, number: true, cell: (one) => integer(one.points) },
          { name: shell().status, cell: (one) => <Badge kind="proposal" word={one.state} /> },
          {
            name: shell().act,
            cell: (one) => <Buttons proposal={one} own={one.proposed_by === actor} decide={setDeciding} />,
          },
          { name: w.class, cell: (one) => one.class },
          { name: w.scope, wide: true, cell: (one) => reach(one.scope) },
          { name: shell().reason, wide: true, cell: (one) => one.reason },
          { name: w.proposedBy, cell: (one) => <span class="still">{one.proposed_by}</span> },
          { name: w.proposedAt, cell: (one) => <At at={one.proposed_at} /> },
          { name: w.endsAt, cell: (one) => <At at={one.expires_at} /> },
          {
            name: w.decision,
            wide: true,
            cell: (one) => [one.decided_by, one.decision_reason].filter(Boolean).join(': ') || '—',
          },
        ]}
      />
      {deciding && <Decide {...deciding} close={() => setDeciding(undefined)} reread={reread} />}
    </>
  );
}

interface ButtonsProps {
  proposal: Proposal;
  own: boolean;
  decide: (decision: Decision) => void;
}

function Buttons({ proposal, own, decide }: ButtonsProps) {
  const w = words();
  if (proposal.state !== 'open') return <>—</>;
  const refuse = own ? w.takeBack : w.refuse;
  return (
    <div class="row tight">
      {may('approve') && !own && (
        <button
          type="button"
          class="small"
          aria-label={w.approveTitle(what(proposal))}
          onClick={() => decide({ decide: 'approve', proposal, own })}
        >
          {w.approve}
        </button>
      )}
      {may('refuse') && (
        <button
          type="button"
          class="small"
          aria-label={own ? w.takeBackTitle(what(proposal)) : w.refuseTitle(what(proposal))}
          onClick={() => decide({ decide: 'refuse', proposal, own })}
        >
          {refuse}
        </button>
      )}
      {own && <span class="hint">{w.own}</span>}
    </div>
  );
}

function Decide({ decide, proposal, own, close, reread }: Decision & { close: () => void; reread: () => void }) {
  const w = words();
  const approve = decide === 'approve';
  const [title, confirm, done] = approve
    ? [w.approveTitle(what(proposal)), w.approve, w.approved]
    : own
      ? [w.takeBackTitle(what(proposal)), w.takeBack, w.tookBack]
      : [w.refuseTitle(what(proposal)), w.refuse, w.refused];
  return (
    <Change
      title={title}
      confirm={confirm}
      danger={!approve}
      close={close}
      reread={reread}
      perform={(reason) => ask(decide, { proposal: proposal.proposal_id }, { body: { reason } })}
      done={() => {
        tell(done);
        reread();
      }}
    >
      <Facts
        of={[
          [w.proposedBy, proposal.proposed_by],
          [w.class, proposal.class],
          [w.scope, reach(proposal.scope)],
          [shell().reason, proposal.reason],
        ]}
      />
    </Change>
  );
}
