import { type ReactNode, useId, useMemo } from 'react';
import { countries } from '../../src/contract/countries.js';
import type { TypedAddress } from '../address.js';
import { Field, TextAreaField } from '../components/field.js';
import { language as chosenLanguage, useTranslations } from '../i18n/language.js';
import { useStore } from '../store.js';

interface AddressFieldsProps {
  legend: string;
  address: TypedAddress;
  required: boolean;
  disabled: boolean;
  onChange: (change: Partial<TypedAddress>) => void;
  children?: ReactNode;
}

export function AddressFields({ legend, address, required, disabled, onChange, children }: AddressFieldsProps) {
  const t = useTranslations().address;
  const field = (name: keyof TypedAddress, maxLength: number, autoComplete: string) => ({
    label: t.fields[name],
    value: address[name],
    maxLength,
    autoComplete,
    disabled,
    onChange: ({ target }: { target: { value: string } }) => onChange({ [name]: target.value }),
  });
  return (
    <fieldset className="address-form">
      <legend>{legend}</legend>
      <Field {...field('name', 200, 'shipping name')} required={required} />
      <TextAreaField {...field('lines', 1_004, 'shipping street-address')} rows={2} required={required} />
      <div className="fields address-parts">
        <Field {...field('postcode', 20, 'shipping postal-code')} />
        <Field {...field('city', 100, 'shipping address-level2')} />
        <Field {...field('region', 100, 'shipping address-level1')} />
        <CountryField {...{ disabled, onChange }} value={address.country} />
        <Field {...field('phone', 40, 'shipping tel')} type="tel" />
      </div>
      {children}
    </fieldset>
  );
}

type CountryFieldProps = Pick<AddressFieldsProps, 'disabled' | 'onChange'> & { value: string };

function CountryField({ disabled, value, onChange }: CountryFieldProps) {
  const t = useTranslations().address;
  const language = useStore(chosenLanguage);
  const id = useId();
  const options = useMemo(() => {
    const names = new Intl.DisplayNames(language, { type: 'region' });
    const named = countries.map((code) => ({ code, name: names.of(code) ?? code }));
    return named.sort((one, other) => one.name.localeCompare(other.name, language));
  }, [language]);
  return (
    <div className="field">
      <label htmlFor={id}>{t.fields.country}</label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        autoComplete="shipping country"
        onChange={({ target }) => onChange({ country: target.value })}
      >
        <option value="">–</option>
        {options.map(({ code, name }) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
