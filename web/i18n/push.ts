import type { PushState } from '../components/push.js';
import type { Language } from './language.js';

interface PushWords {
  label: string;
  states: Record<PushState, string>;
  why: Record<'unsupported' | 'denied', string>;
}

/** Texts of the switch for push messages, which are loaded with it. */
export const pushWords: Record<Language, PushWords> = {
  en: {
    label: 'Ring this device when the page is closed',
    states: { unsupported: 'not possible', denied: 'blocked', off: 'off', on: 'on' },
    why: {
      unsupported:
        'This browser has no push messages here: they need https, and on iPhone the page on the home screen.',
      denied: 'Notifications of this page are blocked in the browser’s settings.',
    },
  },
  zh: {
    label: '页面关闭时提醒本设备',
    states: { unsupported: '不支持', denied: '已屏蔽', off: '关', on: '开' },
    why: {
      unsupported: '此浏览器在这里不支持推送：需要 https；在 iPhone 上需将页面添加到主屏幕。',
      denied: '浏览器设置中屏蔽了本页面的通知。',
    },
  },
};
