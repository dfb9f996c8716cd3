import type { Right } from '../../../src/contract/rights.js';
import { useSettingsTexts } from '../../i18n/settings.js';

interface RightsFieldProps {
  legend: string;
  /** Those that can be given. */
  rights: readonly Right[];
  checked: readonly Right[];
}

/** Boxes of the name `right`, each with what it allows. */
export function RightsField({ legend, rights, checked }: RightsFieldProps) {
  const t = useSettingsTexts().rights;
  return (
    <fieldset className="rights">
      <legend>{legend}</legend>
      {rights.map((right) => (
        <label key={right} className="check">
          <input type="checkbox" name="right" value={right} defaultChecked={checked.includes(right)} />
          <span>
            {t[right].name} <span className="quiet">{t[right].meaning}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function rightsIn(form: HTMLFormElement): Right[] {
  return new FormData(form).getAll('right').map((right) => right as Right);
}
