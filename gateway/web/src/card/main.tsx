// The entry of the card page.

import '../kit/theme.css';
import './card.css';
import { mount } from '../kit/mount.tsx';
import { start as startLive } from './live.ts';
import { Page } from './page.tsx';
import { start as startRotation } from './rotation.ts';
import { open } from './session.ts';
import { keepOnPhone } from './update.ts';

mount(Page);
await open();
startLive();
startRotation();
keepOnPhone();
