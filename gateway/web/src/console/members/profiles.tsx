// Personal data that was opened.

import { day, instant } from '../../kit/format.ts';
import type { Profile } from '../answers.ts';
import { Facts } from '../parts/pieces.tsx';
import { term } from '../terms.ts';
import { member as words } from '../words/members.ts';
import { profileLines } from './personal.ts';

/** Personal data, in sight until it is closed or the member is left. */
export function Profiles({ profiles, close }: { profiles: Profile[]; close: () => void }) {
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
