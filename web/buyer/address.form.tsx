import { useMemo } from 'react';
import { countries } from '../../src/contract/countries.js';
import { isAddressEmpty, type TypedAddress, typeAddress, typedAddress } from '../address.js';
import { Field, TextAreaField } from '../components/field.js';
import { needsAddress } from '../hub.js';
import { language as chosenLanguage, useTranslations } from '../i18n/language.js';
import { useStore } from '../store.js';

/** Where to send the order: remembered on this device. Empty, it is left out, unless the hub needs it. */
export function AddressForm({ disabled }: { disabled: boolean }) {
  const t = useTranslations().address;
  const address = useStore(typedAddress);
  const isNeeded = useStore(needsAddress);
  const required = isNeeded || !isAddressEmpty(address);
  const field = (name: keyof TypedAddress, maxLength: number, autoComplete: string) => ({
    label: t.fields[name],
    value: address[name],
    maxLength,
    autoComplete,
    disabled,
    onChange: ({ target }: { target: { value: string } }) => typeAddress({ [name]: target.value }),
  });
  return (
    <fieldset className="address-form">
      <legend>{isNeeded ? t.title : t.optional}</legend>
      <Field {...field('name', 200, 'shipping name')} required={required} />
      <TextAreaField {...field('lines', 1_004, 'shipping street-address')} rows={2} required={required} />
      <div className="fields address-parts">
        <Field {...field('postcode', 20, 'shipping postal-code')} />
        <Field {...field('city', 100, 'shipping address-level2')} />
        <Field {...field('region', 100, 'shipping address-level1')} />
        <CountryField disabled={disabled} value={address.country} />
        <Field {...field('phone', 40, 'shipping tel')} type="tel" />
      </div>
    </fieldset>
  );
}

function CountryField({ disabled, value }: { disabled: boolean; value: string }) {
  const t = useTranslations().address;
  const language = useStore(chosenLanguage);
  const options = useMemo(() => {
    const names = new Intl.DisplayNames(language, { type: 'region' });
    const named = countries.map((code) => ({ code, name: names.of(code) ?? code }));
    return named.sort((one, other) => one.name.localeCompare(other.name, language));
  }, [language]);
  return (
    <div className="field">
      <label>
        {t.fields.country}
        <select
          value={value}
          disabled={disabled}
          autoComplete="shipping country"
          onChange={({ target }) => typeAddress({ country: target.value })}
        >
          <option value="">–</option>
          {options.map(({ code, name }) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
