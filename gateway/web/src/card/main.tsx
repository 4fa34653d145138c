// The entry of the card page.

import '../kit/theme.css';
import './card.css';
import { effect } from '@preact/signals';
import { mount } from '../kit/mount.tsx';
import { start as startLive } from './live.ts';
import { Page } from './page.tsx';
import { start as startRotation, text } from './rotation.ts';
import { open } from './session.ts';
import { keepOnPhone } from './update.ts';

mount(Page);
await open();
startLive();
startRotation();
// Not before the card is shown: the first card must not wait for what keeps the next.
const stop = effect(() => {
  if (text.value === undefined) return;
  keepOnPhone();
  queueMicrotask(() => stop());
});
