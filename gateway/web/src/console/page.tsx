// The page as a whole: the gate of the sign-in, the menu, and the screen of the place one is at.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { LanguageSwitch } from '../kit/language-switch.tsx';
import { forgetSearch } from './members/search.tsx';
import { cameBack } from './openid.ts';
import { arrive, place, told } from './place.ts';
import type { Route } from './routes.ts';
import { format } from './routes.ts';
import { Screens } from './screens.tsx';
import { ended, finishOpenId, may, resume, session, signOut } from './session.ts';
import { SignIn, SignInAgain } from './sign-in.tsx';
import { term } from './terms.ts';
import { shell } from './words/shell.ts';

type Gate = { at: 'resuming' } | { at: 'open'; refused?: unknown } | { at: 'handed over' };

async function enter(): Promise<Gate> {
  const back = cameBack(location.hash);
  // The token must not stay in the address or in the history.
  if (back) history.replaceState(null, '', '#/members');
  try {
    if (!back) await resume();
    else if ((await finishOpenId(back)) !== undefined) return { at: 'handed over' };
    return { at: 'open' };
  } catch (refused) {
    return { at: 'open', refused };
  } finally {
    arrive();
  }
}

export function Page() {
  const words = shell();
  const [gate, setGate] = useState<Gate>({ at: 'resuming' });
  useEffect(() => {
    void enter().then(setGate);
  }, []);
  useEffect(() => {
    if (!session.value) document.title = words.title;
  });
  if (session.value) {
    return (
      <>
        <Frame>
          <Screens />
        </Frame>
        {ended.value && <SignInAgain />}
      </>
    );
  }
  return (
    <>
      <header class="bar">
        <strong>{words.title}</strong>
        <LanguageSwitch />
      </header>
      <main class="page">
        {gate.at === 'resuming' && (
          <>
            <h1 class="unseen">{words.title}</h1>
            <p>{words.resuming}</p>
          </>
        )}
        {gate.at === 'handed over' && (
          <>
            <h1>{words.title}</h1>
            <p class="note good">{words.handedOver}</p>
          </>
        )}
        {gate.at === 'open' && <SignIn {...(gate.refused !== undefined && { refused: gate.refused })} />}
      </main>
    </>
  );
}

type Entry = readonly [route: Exclude<Route, { at: 'unknown' }>, belongs: readonly Route['at'][], name: string];

/** What the role may look at. */
function entries(): Entry[] {
  const words = shell();
  const all: (Entry | false)[] = [
    may('search') && [{ at: 'members' }, ['members', 'member'], words.members],
    may('proposals') && [{ at: 'proposals', state: 'open' }, ['proposals'], words.proposals],
    may('candidates') && [{ at: 'merging' }, ['merging', 'merge', 'unmerge'], words.merging],
    may('figure') && [{ at: 'figures', figure: 'points', period: {} }, ['figures'], words.figures],
    may('stores') && [{ at: 'stores' }, ['stores'], words.stores],
    may('shops') && [{ at: 'shops' }, ['shops'], words.shops],
    may('clients') && [{ at: 'clients' }, ['clients'], words.clients],
    may('health') && [{ at: 'health' }, ['health'], words.health],
    may('acts') && [{ at: 'acts' }, ['acts'], words.acts],
  ];
  return all.filter((entry) => entry !== false);
}

function Frame({ children }: { children: ComponentChildren }) {
  const words = shell();
  const [open, setOpen] = useState(false);
  const here = place.value;
  const now = session.value?.me;
  // The menu closes whenever the place changes.
  useEffect(() => setOpen(false), [here]);
  return (
    <>
      {/* Not a link: the fragment belongs to the places. */}
      <button type="button" class="skip" onClick={() => document.querySelector('h1')?.focus()}>
        {words.skip}
      </button>
      <header class="bar">
        <div class="row">
          <button
            type="button"
            class="menu-button"
            aria-expanded={open}
            aria-controls="menu"
            onClick={() => setOpen(!open)}
          >
            {words.menu}
          </button>
          <strong>{now?.programme_name}</strong>
        </div>
        <div class="row">
          <span class="who">{words.signedInAs(now?.actor ?? '', term('role', now?.role))}</span>
          <LanguageSwitch />
          <button
            type="button"
            class="quiet"
            onClick={() => {
              forgetSearch();
              signOut();
            }}
          >
            {words.signOut}
          </button>
        </div>
      </header>
      <div class="frame">
        <nav id="menu" class={open ? 'menu open' : 'menu'} aria-label={words.navigation}>
          <ul class="plain">
            {entries().map(([route, belongs, name]) => (
              <li key={route.at}>
                <a href={format(route)} {...(belongs.includes(here.at) && { 'aria-current': 'page' as const })}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <main id="content" class="content">
          {told.value && (
            <div class={`note ${told.value.kind} row apart`}>
              <span>{told.value.text}</span>
              <button
                type="button"
                class="quiet"
                aria-label={words.dismiss}
                onClick={() => {
                  told.value = undefined;
                }}
              >
                ×
              </button>
            </div>
          )}
          {children}
        </main>
      </div>
    </>
  );
}
