// What the screens have in common: a heading that takes the focus when the screen changes, and a way back.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../words.ts';

export interface FrameProps {
  title: string;
  children: ComponentChildren;
  /** It lies below “more”. */
  below?: boolean;
}

let opened = false;

export function Frame({ title, children, below = false }: FrameProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – ${words().title}`;
  }, [title]);
  useEffect(() => {
    // Not when the page has just been opened: a reader begins at the top by itself.
    if (opened) heading.current?.focus();
    opened = true;
  }, []);
  return (
    <main class="page screen">
      {below && (
        <a class="back" href="#more">
          <span aria-hidden="true">‹</span> {words().back}
        </a>
      )}
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </main>
  );
}
