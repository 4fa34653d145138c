// What the screens have in common: a heading that takes the focus when the screen changes, and a way back.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { moved } from '../route.ts';
import { words } from '../words.ts';

export interface FrameProps {
  title: string;
  children: ComponentChildren;
  /** It lies below “more”. */
  below?: boolean;
}

/** A heading that takes the focus when the shopper comes to its screen, but not when the page has just been opened. */
export function useHeading() {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (moved) heading.current?.focus();
  }, []);
  return heading;
}

export function Frame({ title, children, below = false }: FrameProps) {
  const heading = useHeading();
  useEffect(() => {
    document.title = `${title} – ${words().title}`;
  }, [title]);
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
