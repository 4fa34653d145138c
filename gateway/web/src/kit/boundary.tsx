// Where a page's own fault ends: a plain note and a way on, instead of a blank page.

import { Component, type ComponentChildren } from 'preact';
import { language } from './i18n.ts';

const WORDS = {
  ja: {
    title: '表示できませんでした',
    text: 'このページで問題が起きました。読み込み直してください。',
    again: '読み込み直す',
  },
  en: {
    title: 'This cannot be shown',
    text: 'Something broke in this page. Please load it again.',
    again: 'Load again',
  },
};

export class Boundary extends Component<{ children: ComponentChildren }, { broken: boolean }> {
  override state = { broken: false };

  static override getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override componentDidCatch(error: unknown): void {
    // biome-ignore lint/suspicious/noConsole: the only trace of a fault of the page itself
    console.error(error);
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    const words = WORDS[language.value];
    return (
      <main class="page">
        <h1>{words.title}</h1>
        <p role="alert">{words.text}</p>
        <button type="button" class="primary" onClick={() => location.reload()}>
          {words.again}
        </button>
      </main>
    );
  }
}
