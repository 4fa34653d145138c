// What may be done to a member. Only what the role may do is offered; every one of them asks a reason.

import { useState } from 'preact/hooks';
import { save } from '../../kit/download.ts';
import { day, instant, points } from '../../kit/format.ts';
import type { Person, Profile } from '../answers.ts';
import { Change } from '../parts/change.tsx';
import { TextField } from '../parts/field.tsx';
import { Facts } from '../parts/pieces.tsx';
import { tell } from '../place.ts';
import { ask, may } from '../session.ts';
import { term } from '../terms.ts';
import { member as words } from '../words/members.ts';
import { Adjust } from './adjust.tsx';
import { plainNumber } from './clue.ts';
import { exportName, profileLines } from './personal.ts';

type Act = 'adjust' | 'profile' | 'block' | 'unblock' | 'export' | 'erase';

export interface ActionsProps {
  person: Person;
  reread: () => void;
}

export function Actions({ person, reread }: ActionsProps) {
  const w = words();
  const [open, setOpen] = useState<Act>();
  const [profiles, setProfiles] = useState<Profile[]>();
  const erased = person.erased_at != null;
  const offered: [Act, string, boolean][] = [
    ['adjust', w.adjust, may('adjust') && !erased],
    ['profile', w.openProfile, may('profile') && person.has_profile],
    ['block', w.block, may('block') && !erased && person.status !== 'blocked'],
    ['unblock', w.unblock, may('unblock') && !erased && person.status === 'blocked'],
    ['export', w.export, may('export') && !erased],
    ['erase', w.erase, may('erase') && !erased],
  ];
  const shown = offered.filter(([, , is]) => is);
  const common = { close: () => setOpen(undefined), reread };
  const target = { member: person.member_no };
  return (
    <>
      {shown.length > 0 && (
        <div class="row actions">
          {shown.map(([act, name]) => (
            <button key={act} type="button" class={act === 'erase' ? 'danger' : ''} onClick={() => setOpen(act)}>
              {name}
            </button>
          ))}
        </div>
      )}
      {profiles && <Profiles profiles={profiles} close={() => setProfiles(undefined)} />}
      {open === 'adjust' && (
        <Adjust
          person={person}
          {...common}
          done={(outcome) => {
            tell(outcome.outcome === 'done' ? w.adjusted(points(outcome.points.available)) : w.proposed);
            reread();
          }}
        />
      )}
      {open === 'profile' && (
        <Change
          title={w.openProfile}
          confirm={w.openProfile}
          {...common}
          perform={(reason) => ask<{ profiles: Profile[] }>('profile', target, { body: { reason } })}
          done={(answer) => {
            setProfiles(answer.profiles);
            reread();
          }}
        >
          <p class="note">{w.profileLead}</p>
        </Change>
      )}
      {(open === 'block' || open === 'unblock') && (
        <Change
          title={open === 'block' ? w.block : w.unblock}
          confirm={open === 'block' ? w.block : w.unblock}
          danger={open === 'block'}
          {...common}
          perform={(reason) => ask(open, target, { body: { reason } })}
          done={() => {
            tell(open === 'block' ? w.blocked : w.unblocked);
            reread();
          }}
        >
          <p>{open === 'block' ? w.blockLead : w.unblockLead}</p>
        </Change>
      )}
      {open === 'export' && (
        <Change
          title={w.export}
          confirm={w.export}
          {...common}
          perform={(reason) => ask('export', target, { body: { reason } })}
          done={(data) => {
            const text = JSON.stringify(data, null, 2);
            save(new Blob([text], { type: 'application/json' }), exportName(person.member_no));
            tell(w.exported);
            reread();
          }}
        >
          <p class="note warn">{w.exportLead}</p>
        </Change>
      )}
      {open === 'erase' && (
        <Erase
          person={person}
          {...common}
          done={() => {
            setProfiles(undefined);
            tell(w.erased);
            reread();
          }}
        />
      )}
    </>
  );
}

interface EraseProps extends ActionsProps {
  close: () => void;
  done: () => void;
}

function Erase({ person, close, reread, done }: EraseProps) {
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

/** Personal data, in sight until it is closed or the member is left. */
function Profiles({ profiles, close }: { profiles: Profile[]; close: () => void }) {
  const w = words();
  return (
    <section class="panel" aria-labelledby="profile">
      <div class="row apart">
        <h2 id="profile">{w.profile}</h2>
        <button type="button" class="small" onClick={close}>
          {w.profileClose}
        </button>
      </div>
      {profiles.length === 0 && <p class="hint">{w.noProfile}</p>}
      {profiles.map((profile) => (
        <div key={profile.member_id} class="stack">
          <Facts
            of={profileLines(profile.profile).map(([name, value]) => [
              term('profile', name),
              name === 'birthday' ? day(value) : value,
            ])}
          />
          <p class="hint">{w.profileAt(instant(profile.changed_at))}</p>
        </div>
      ))}
    </section>
  );
}
