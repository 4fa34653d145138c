// The screen of a place. Each is drawn anew where what it is about changes.

import { Figures } from './figures/figures.tsx';
import { Proposals } from './members/proposals.tsx';
import { Record } from './members/record.tsx';
import { Search } from './members/search.tsx';
import { Candidates } from './merging/candidates.tsx';
import { Merge } from './merging/merge.tsx';
import { Unmerge } from './merging/unmerge.tsx';
import { Screen } from './parts/screen.tsx';
import { place } from './place.ts';
import { Clients } from './places/clients.tsx';
import { Shops } from './places/shops.tsx';
import { Stores } from './places/stores.tsx';
import { Acts } from './watch/acts.tsx';
import { Health } from './watch/health.tsx';
import { shell } from './words/shell.ts';

export function Screens() {
  const here = place.value;
  switch (here.at) {
    case 'members':
      return <Search />;
    case 'member':
      return <Record key={here.member} member={here.member} tab={here.tab} />;
    case 'proposals':
      return <Proposals state={here.state} />;
    case 'merging':
      return <Candidates />;
    case 'merge':
      return <Merge key={`${here.member} ${here.into}`} member={here.member} into={here.into} />;
    case 'unmerge':
      return <Unmerge key={here.member} member={here.member} />;
    case 'stores':
      return <Stores />;
    case 'shops':
      return <Shops />;
    case 'clients':
      return <Clients />;
    case 'health':
      return <Health />;
    case 'figures':
      return <Figures figure={here.figure} period={here.period} />;
    case 'acts':
      return <Acts />;
    case 'unknown':
      return (
        <Screen title={shell().unknownPlace}>
          <p>{shell().unknownPlaceLead}</p>
        </Screen>
      );
  }
}
