// Starts a page: the live region, the boundary for faults, and the page itself.

import { type ComponentType, render } from 'preact';
import { LiveRegion } from './announce.tsx';
import { Boundary } from './boundary.tsx';

export function mount(Page: ComponentType): void {
  const place = document.getElementById('app');
  if (!place) throw new Error('the page has no #app');
  render(
    <>
      <Boundary>
        <Page />
      </Boundary>
      <LiveRegion />
    </>,
    place,
  );
}
