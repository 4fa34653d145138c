// The head of a screen. A screen that opens takes the focus to its heading, so that a reader begins there, and names the
// browser's tab.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { session } from '../session.ts';
import { shell } from '../words/shell.ts';

export interface ScreenProps {
  title: string;
  /** Buttons beside the heading. */
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** The first screen after a load leaves the focus where the browser puts it. */
let first = true;

export function Screen({ title, actions, children }: ScreenProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const programme = session.value?.me.programme_name ?? '';
  useEffect(() => {
    if (!first) heading.current?.focus();
    first = false;
  }, []);
  useEffect(() => {
    document.title = shell().page(title, programme);
  });
  return (
    <>
      <div class="row apart head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions && <div class="row">{actions}</div>}
      </div>
      {children}
    </>
  );
}
