// The page as a whole: what is in the way of opening, the set-up, or the register.

import { useEffect } from 'preact/hooks';
import { LanguageSwitch } from '../kit/language-switch.tsx';
import { open, stage } from './boot.ts';
import { Open } from './screens/open.tsx';
import { Setup } from './screens/setup.tsx';
import { words } from './words.ts';

export function Page() {
  useEffect(() => {
    void open();
  }, []);
  const at = stage.value;
  if (at.is === 'open') return <Open register={at.register} />;
  return (
    <main class="page narrow">
      <div class="row apart">
        <h1>{words().title}</h1>
        <LanguageSwitch />
      </div>
      {at.is === 'setup' && <Setup {...(at.foreign === undefined ? {} : { foreign: at.foreign })} />}
      {at.is === 'opening' && <p role="status">{words().opening}</p>}
      {at.is === 'elsewhere' && <Blocked {...words().elsewhere} />}
      {at.is === 'no_journal' && <Blocked {...words().noJournal} />}
      {at.is === 'no_locks' && <Blocked {...words().noLocks} />}
    </main>
  );
}

function Blocked({ title, text }: { title: string; text: string }) {
  return (
    <section class="note bad blocked" role="alert">
      <h2>{title}</h2>
      <p>{text}</p>
    </section>
  );
}
