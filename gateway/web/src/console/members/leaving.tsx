// What takes a member's data out of the gateway: a copy for its owner, and forgetting the person.

import { useState } from 'preact/hooks';
import { save } from '../../kit/download.ts';
import type { Person } from '../answers.ts';
import { Change } from '../parts/change.tsx';
import { TextField } from '../parts/field.tsx';
import { ask } from '../session.ts';
import { member as words } from '../words/members.ts';
import { plainNumber } from './clue.ts';
import { exportName } from './personal.ts';

interface LeavingProps {
  person: Person;
  reread: () => void;
  close: () => void;
  done: () => void;
}

export function Erase({ person, close, reread, done }: LeavingProps) {
  const w = words();
  const [number, setNumber] = useState('');
  const [checked, setChecked] = useState(false);
  const mismatch = plainNumber(number) !== person.member_no;
  return (
    <Change
      title={w.eraseTitle(person.member_no)}
      confirm={w.erase}
      danger
      close={close}
      reread={reread}
      wrong={() => {
        setChecked(true);
        return mismatch;
      }}
      perform={(reason) =>
        ask('erase', { member: person.member_no }, { body: { reason, confirm: plainNumber(number) } })
      }
      done={done}
    >
      <p class="note bad">{w.eraseLead}</p>
      <TextField
        label={w.eraseConfirm}
        inputMode="numeric"
        value={number}
        change={setNumber}
        fault={checked && mismatch ? w.eraseMismatch : undefined}
        required
      />
    </Change>
  );
}

export function Export({ person, close, reread, done }: LeavingProps) {
  const w = words();
  return (
    <Change
      title={w.export}
      confirm={w.export}
      close={close}
      reread={reread}
      perform={(reason) => ask('export', { member: person.member_no }, { body: { reason } })}
      done={(data) => {
        const text = JSON.stringify(data, null, 2);
        save(new Blob([text], { type: 'application/json' }), exportName(person.member_no));
        done();
      }}
    >
      <p class="note warn">{w.exportLead}</p>
    </Change>
  );
}
