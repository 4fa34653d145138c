// What may be done to a member. Only what the role may do is offered; every one of them asks a reason.

import { useState } from 'preact/hooks';
import { points } from '../../kit/format.ts';
import type { Person, Profile } from '../answers.ts';
import { Change } from '../parts/change.tsx';
import { tell } from '../place.ts';
import { ask, may } from '../session.ts';
import { member as words } from '../words/members.ts';
import { Adjust, type Adjusted } from './adjust.tsx';
import { Erase, Export } from './leaving.tsx';
import { Profiles } from './profiles.tsx';

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
      {open && <Question act={open} {...{ person, reread, setProfiles }} close={() => setOpen(undefined)} />}
    </>
  );
}

interface QuestionProps extends ActionsProps {
  act: Act;
  close: () => void;
  setProfiles: (profiles: Profile[] | undefined) => void;
}

/** The dialog of an act. */
function Question({ act, person, reread, close, setProfiles }: QuestionProps) {
  const w = words();
  const common = { close, reread };
  const target = { member: person.member_no };
  const did = (note: string) => {
    tell(note);
    reread();
  };
  switch (act) {
    case 'adjust': {
      const note = (made: Adjusted) =>
        made.outcome === 'done' ? w.adjusted(points(made.points.available)) : w.proposed;
      return <Adjust person={person} {...common} done={(made) => did(note(made))} />;
    }
    case 'profile':
      return (
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
      );
    case 'block':
    case 'unblock': {
      const [name, lead, note] =
        act === 'block' ? [w.block, w.blockLead, w.blocked] : [w.unblock, w.unblockLead, w.unblocked];
      const perform = (reason: string) => ask(act, target, { body: { reason } });
      return (
        <Change
          title={name}
          confirm={name}
          danger={act === 'block'}
          {...common}
          perform={perform}
          done={() => did(note)}
        >
          <p>{lead}</p>
        </Change>
      );
    }
    case 'export':
      return <Export person={person} {...common} done={() => did(w.exported)} />;
    case 'erase':
      return (
        <Erase
          person={person}
          {...common}
          done={() => {
            setProfiles(undefined);
            did(w.erased);
          }}
        />
      );
  }
}
