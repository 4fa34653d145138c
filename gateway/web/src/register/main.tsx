// The entry of the page.

import '../kit/theme.css';
import './register.css';
import { mount } from '../kit/mount.tsx';
import { Page } from './page.tsx';

mount(Page);
