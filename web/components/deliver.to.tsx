import type { DeliverTo } from '../../src/contract/words.js';
import { language as chosenLanguage, type Language, useTranslations } from '../i18n/language.js';
import { useStore } from '../store.js';

/** The address of an order, as on a label. Nothing, if there is none. */
export function DeliverToBlock({ deliverTo }: { deliverTo: DeliverTo | null | undefined }) {
  const t = useTranslations().address;
  const language = useStore(chosenLanguage);
  if (!deliverTo) return null;
  return (
    <address className="deliver-to" aria-label={t.title}>
      {addressRows(deliverTo, language).join('\n')}
    </address>
  );
}

/** The lines of a label, the name first. */
export function addressRows(deliverTo: DeliverTo, language: Language): string[] {
  const { name, lines, postcode, city, region, country, phone } = deliverTo;
  const place = [postcode, city, region].filter(Boolean).join(' ');
  const countryName = country && (new Intl.DisplayNames(language, { type: 'region' }).of(country) ?? country);
  return [name, ...lines, place, countryName ?? '', phone ?? ''].filter((row) => row !== '');
}
