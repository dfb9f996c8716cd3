import type { ReactNode } from 'react';
import { LoadError } from '../../components/error.message.js';
import { useTranslations } from '../../i18n/language.js';

interface SettingsListProps<Item> {
  texts: { title: string; intro: string; none: string };
  /** Undefined until it was loaded. */
  items: Item[] | undefined;
  error: unknown;
  reload: () => void;
  children: (item: Item) => ReactNode;
  /** What adds another one. */
  form: ReactNode;
}

/** A section of the settings: what there is of a kind, and the form for one more. */
export function SettingsList<Item>({ texts, items, error, reload, children, form }: SettingsListProps<Item>) {
  const loading = useTranslations().loading;
  return (
    <section className="card settings-form">
      <h2>{texts.title}</h2>
      <p className="quiet">{texts.intro}</p>
      {error !== undefined && <LoadError error={error} retry={reload} />}
      {!items && error === undefined && <p className="quiet">{loading}</p>}
      {items?.length === 0 && <p className="quiet">{texts.none}</p>}
      <ul className="settings-list">{items?.map(children)}</ul>
      {form}
    </section>
  );
}
