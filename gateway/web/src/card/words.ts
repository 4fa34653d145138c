// The words of the page.

import { dictionaries } from '../kit/i18n.ts';

export const words = dictionaries({ title: '会員証' }, { title: 'Member card' });
