import { PAGE_SETTINGS_META, type PageSettings } from '../src/contract/page.settings.js';

/** What the hub wrote into this page. */
export const settings: PageSettings = JSON.parse(
  document.querySelector<HTMLMetaElement>(`meta[name="${PAGE_SETTINGS_META}"]`)?.content ?? '',
) as PageSettings;
