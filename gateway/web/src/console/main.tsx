// The entry of the page.

import '../kit/theme.css';
import './console.css';
import { mount } from '../kit/mount.tsx';
import { Page } from './page.tsx';

mount(Page);
