// Granting or taking points by hand. How much one may adjust alone is the ledger's to decide; the page only tells the
// limits, and whether it was done or proposed.

import { useState } from 'preact/hooks';
import { points as pointText } from '../../kit/format.ts';
import type { Person, Proposal } from '../answers.ts';
import { Change } from '../parts/change.tsx';
import { Choice, TextField } from '../parts/field.tsx';
import { ask, me } from '../session.ts';
import { member as words } from '../words/members.ts';
import { listed, wholePoints } from './amount.ts';

export interface Adjusted {
  outcome: 'done' | 'proposed';
  proposal: Proposal | null;
  points: { available: number };
}

export interface AdjustProps {
  person: Person;
  close: () => void;
  reread: () => void;
  done: (outcome: Adjusted) => void;
}

export function Adjust({ person, close, reread, done }: AdjustProps) {
  const w = words();
  const { adjustments, classes } = me();
  const [direction, setDirection] = useState<'grant' | 'take'>('grant');
  const [amount, setAmount] = useState('');
  const [kind, setKind] = useState(classes[0] ?? 'base');
  const [stores, setStores] = useState('');
  const [categories, setCategories] = useState('');
  const [checked, setChecked] = useState(false);
  const points = wholePoints(amount);
  const grant = direction === 'grant';
  return (
    <Change
      title={w.adjustTitle(person.member_no)}
      confirm={w.adjust}
      close={close}
      reread={reread}
      wrong={() => {
        setChecked(true);
        return points === undefined;
      }}
      perform={(reason) => {
        const restricted = { class: kind, only_stores: listed(stores), only_categories: listed(categories) };
        const body = { direction, points, ...(grant && restricted), reason };
        return ask<Adjusted>('adjust', { member: person.member_no }, { body });
      }}
      done={done}
    >
      <p class="hint">
        {w.limits(
          pointText(adjustments.alone_points_max),
          pointText(adjustments.alone_points_per_day_max),
          adjustments.proposal_hours,
        )}
      </p>
      <Choice
        label={w.direction}
        value={direction}
        options={[
          ['grant', w.grant],
          ['take', w.take],
        ]}
        change={setDirection}
      />
      <TextField
        label={w.amount}
        inputMode="numeric"
        value={amount}
        change={setAmount}
        fault={checked && points === undefined ? w.amountWrong : undefined}
        required
      />
      {grant && (
        <>
          <Choice label={w.class} value={kind} options={classes.map((one) => [one, one] as const)} change={setKind} />
          <details>
            <summary>{w.restrict}</summary>
            <div class="stack">
              <TextField label={w.onlyStores} value={stores} change={setStores} />
              <TextField label={w.onlyCategories} value={categories} change={setCategories} />
            </div>
          </details>
        </>
      )}
    </Change>
  );
}
