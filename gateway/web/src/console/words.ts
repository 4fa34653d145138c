// The words of the page.

import { dictionaries } from '../kit/i18n.ts';

export const words = dictionaries({ title: '管理画面' }, { title: 'Staff console' });
