/** What the pages must know before their first request. The hub writes it into their HTML, as JSON in this meta element. */
export interface PageSettings {
  /** The currency of all amounts, as ISO 4217 names it. */
  currency: string;
  /** Whether anyone may register. */
  registration: 'open' | 'closed';
  /** How users pay in: by saying so, at the payment provider's page, or not by themselves. */
  topUps: 'open' | 'provider' | 'none';
}

export const PAGE_SETTINGS_META = 'hub-settings';
