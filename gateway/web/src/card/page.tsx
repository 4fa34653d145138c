// The page as a whole: which screen is shown, and the menu below it.

import type { ComponentType } from 'preact';
import { happening } from './live.ts';
import { type Screen, screen } from './route.ts';
import { Addresses } from './screens/addresses.tsx';
import { CardScreen } from './screens/card-screen.tsx';
import { Cards } from './screens/cards.tsx';
import { Data } from './screens/data.tsx';
import { Ended, isEnd, NoStorage, Opening } from './screens/ended.tsx';
import { History } from './screens/history.tsx';
import { Link } from './screens/link.tsx';
import { More } from './screens/more.tsx';
import { Notices } from './screens/notices.tsx';
import { Profile } from './screens/profile.tsx';
import { RecoveryScreen } from './screens/recovery.tsx';
import { Wallet } from './screens/wallet.tsx';
import { Welcome } from './screens/welcome.tsx';
import { notices, phase, unseen } from './session.ts';
import { words } from './words.ts';

const SHOWN: Record<Screen, ComponentType> = {
  card: CardScreen,
  history: History,
  notices: Notices,
  more: More,
  cards: Cards,
  link: Link,
  addresses: Addresses,
  profile: Profile,
  wallet: Wallet,
  data: Data,
  recover: RecoveryScreen,
};

export function Page() {
  const now = phase.value;
  if (now === 'opening') return <Opening />;
  if (now === 'no_storage') return <NoStorage />;
  if (now === 'welcome') return <Welcome />;
  if (isEnd(now)) return <Ended end={now} />;
  const Shown = SHOWN[screen.value];
  return (
    <>
      <Shown key={screen.value} />
      <Menu />
    </>
  );
}

const MENU = [
  ['card', 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM14 18h2v2h-2zM18 14h2v2h-2z'],
  ['history', 'M5 5h14v2H5zM5 11h14v2H5zM5 17h9v2H5z'],
  ['notices', 'M12 3a6 6 0 0 0-6 6v5l-2 3h16l-2-3V9a6 6 0 0 0-6-6zM10 19a2 2 0 0 0 4 0z'],
  ['more', 'M5 10h4v4H5zM10 10h4v4h-4zM15 10h4v4h-4z'],
] as const;

function Menu() {
  const { nav, unreadNotices } = words();
  const shown = screen.value;
  const at = MENU.some(([name]) => name === shown) ? shown : 'more';
  const unread = unseen.value < 0 ? notices.value.length : unseen.value;
  return (
    <nav class="menu-bar" aria-label={nav.label} hidden={happening.value !== undefined && shown === 'card'}>
      {MENU.map(([name, path]) => (
        <a key={name} href={name === 'card' ? '#' : `#${name}`} aria-current={at === name ? 'page' : undefined}>
          <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
            <path d={path} />
          </svg>
          <span>{nav[name]}</span>
          {name === 'notices' && unread > 0 && (
            <span class="badge">
              <span aria-hidden="true">{unread}</span>
              <span class="unseen">{unreadNotices(unread)}</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}
