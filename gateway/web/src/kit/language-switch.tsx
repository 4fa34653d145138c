// The switch between Japanese and English. It names the other language in that language.

import { chooseLanguage, language } from './i18n.ts';

export function LanguageSwitch() {
  const other = language.value === 'ja' ? 'en' : 'ja';
  return (
    <button type="button" class="quiet" lang={other} onClick={() => chooseLanguage(other)}>
      {other === 'en' ? 'English' : '日本語'}
    </button>
  );
}
