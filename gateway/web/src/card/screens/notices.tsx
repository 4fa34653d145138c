// What happened while nobody looked, and what happened at the till.

import { useEffect } from 'preact/hooks';
import { instant } from '../../kit/format.ts';
import { kept, notices, seen, storeName } from '../session.ts';
import { words } from '../words.ts';
import { Frame } from './frame.tsx';
import { summary } from './happening.tsx';

export function Notices() {
  const all = words();
  const list = notices.value;
  const newest = list[0]?.id;
  useEffect(() => {
    if (!newest || newest === seen.value) return;
    seen.value = newest;
    void kept()
      .put('seen', newest)
      .catch(() => undefined);
  }, [newest]);
  return (
    <Frame title={all.notices.title}>
      {list.length === 0 ? (
        <p class="panel">{all.notices.none}</p>
      ) : (
        <ul class="plain panel entries">
          {list.map((notice) => (
            <li class="entry" key={notice.id}>
              <p class="entry-name">{all.kinds[notice.kind]}</p>
              <p>{summary(notice).join(' / ')}</p>
              <p class="hint">
                {instant(notice.at)} {notice.store && storeName(notice.store)}
              </p>
            </li>
          ))}
        </ul>
      )}
    </Frame>
  );
}
