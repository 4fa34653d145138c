// One member: the person with all records. Parts of it are places of their own, read once together.

import { integer } from '../../kit/format.ts';
import type { Person } from '../answers.ts';
import { type Loaded, Show, useLoaded } from '../parts/loaded.tsx';
import { At, Badge, Facts } from '../parts/pieces.tsx';
import { Screen } from '../parts/screen.tsx';
import { format, TABS, type Tab } from '../routes.ts';
import { ask } from '../session.ts';
import { member as words } from '../words/members.ts';
import { shell } from '../words/shell.ts';
import { Actions } from './actions.tsx';
import { Cards } from './cards.tsx';
import { History } from './history.tsx';
import { Lots } from './lots.tsx';
import { Merges } from './merges.tsx';
import { Orders } from './orders.tsx';
import { Accesses, Identities, Records } from './parts.tsx';
import { ProposalTable } from './proposals.tsx';

export function Record({ member, tab }: { member: string; tab: Tab }) {
  const w = words();
  const loaded = useLoaded(member, (signal) => ask<Person>('member', { member }, { signal }));
  const person = loaded.data;
  return (
    <Screen title={w.title(person?.member_no ?? member)} actions={<a href="#/members">{w.back}</a>}>
      <Show of={loaded}>
        {(data) => (
          <>
            <Head person={data} />
            <Actions person={data} reread={() => void loaded.reload()} />
            <Tabs member={member} here={tab} />
            <Part person={data} member={member} tab={tab} loaded={loaded} />
          </>
        )}
      </Show>
    </Screen>
  );
}

function Head({ person }: { person: Person }) {
  const w = words();
  const { available, held, pending, owed } = person.points;
  return (
    <section class="panel" aria-label={w.overview}>
      <div class="tiles">
        {(
          [
            [w.available, available],
            [w.held, held],
            [w.pending, pending],
            [w.owed, owed],
          ] as const
        ).map(([name, points]) => (
          <p key={name} class="tile">
            <span class="hint">{name}</span>
            <strong class="number">{integer(points)}</strong>
          </p>
        ))}
      </div>
      <Facts
        of={[
          [
            shell().member,
            <span key="number" class="number">
              {person.member_no}
            </span>,
          ],
          [shell().status, <Badge key="status" kind="status" word={person.erased_at ? 'erased' : person.status} />],
          [w.rank, person.rank],
          [w.enrolled, <At key="enrolled" at={person.enrolled_at} />],
          ...(person.erased_at ? ([[w.erasedAt, <At key="erased" at={person.erased_at} />]] as const) : []),
        ]}
      />
    </section>
  );
}

function Tabs({ member, here }: { member: string; here: Tab }) {
  const w = words();
  const names: Record<Tab, string> = {
    overview: w.overview,
    points: w.lots,
    history: w.history,
    orders: w.orders,
    merges: w.merges,
    accesses: w.accesses,
  };
  return (
    <nav aria-label={w.sections}>
      <ul class="plain tabs">
        {TABS.map((tab) => (
          <li key={tab}>
            <a href={format({ at: 'member', member, tab })} {...(tab === here && { 'aria-current': 'page' as const })}>
              {names[tab]}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

interface PartProps {
  person: Person;
  member: string;
  tab: Tab;
  loaded: Loaded<Person>;
}

function Part({ person, member, tab, loaded }: PartProps) {
  const reread = () => void loaded.reload();
  switch (tab) {
    case 'overview':
      return (
        <>
          {person.proposals.length > 0 && (
            <section class="panel">
              <h2>{words().proposalsTitle}</h2>
              <ProposalTable proposals={person.proposals} reread={reread} />
            </section>
          )}
          <Records person={person} />
          <Cards person={person} reread={reread} />
          <Identities person={person} />
        </>
      );
    case 'points':
      return <Lots member={member} person={person} />;
    case 'history':
      // What is booked meanwhile belongs on top: read anew whenever the person is.
      return <History member={member} person={person} />;
    case 'orders':
      return <Orders member={member} person={person} />;
    case 'merges':
      return <Merges person={person} />;
    case 'accesses':
      return <Accesses person={person} />;
  }
}
