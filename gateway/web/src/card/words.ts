// The words of the page, in the language of now.

import { dictionaries } from '../kit/i18n.ts';
import { en } from './words/en.ts';
import { ja } from './words/ja.ts';

export const words = dictionaries(ja, en);
