import { type DragEvent, useState } from 'react';
import { useImportTexts } from '../../i18n/import.texts.js';
import { type Encoding, encodings } from './encoding.js';
import type { Table } from './table.js';

/** A file's bytes, or pasted text, which has no encoding any more. */
export type Source = { name: string; bytes: Uint8Array } | { name: string; text: string };

const MEGABYTES_MAX = 20;
const ACCEPTED = '.csv,.tsv,.txt,.json,.tab,text/csv';
/** How zip archives, which new Excel workbooks are, and old ones begin. */
const WORKBOOK_STARTS = [
  [0x50, 0x4b, 0x03, 0x04],
  [0xd0, 0xcf, 0x11, 0xe0],
];

interface SourceChooserProps {
  source: Source | undefined;
  onChoose: (source: Source | undefined) => void;
}

/** A file, chosen or dropped, or a pasted table. */
export function SourceChooser({ source, onChoose }: SourceChooserProps) {
  const t = useImportTexts();
  const [problem, setProblem] = useState<string>();
  const [isOver, setOver] = useState(false);
  const [pasted, setPasted] = useState('');

  async function choose(file: File | undefined) {
    if (!file) return;
    setProblem(undefined);
    onChoose(undefined);
    if (file.size > MEGABYTES_MAX * 1_048_576) return setProblem(t.tooLarge(MEGABYTES_MAX));
    const buffer = await file.arrayBuffer().catch(() => undefined);
    if (!buffer) return setProblem(t.unreadableFile);
    const bytes = new Uint8Array(buffer);
    if (WORKBOOK_STARTS.some((start) => start.every((byte, index) => bytes[index] === byte)))
      return setProblem(t.workbook);
    setPasted('');
    onChoose({ name: file.name, bytes });
  }

  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    void choose(event.dataTransfer.files[0]);
  }

  return (
    <>
      <label
        className="drop"
        data-over={isOver || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <span className="button secondary">{source ? t.another : t.file}</span>
        <span className="quiet">{t.drop}</span>
        <input
          type="file"
          accept={ACCEPTED}
          onChange={({ target }) => {
            void choose(target.files?.[0]);
            // The same file may be chosen again after it was corrected.
            target.value = '';
          }}
        />
      </label>
      <details className="paste">
        <summary>{t.paste}</summary>
        <textarea
          aria-label={t.pasteLabel}
          rows={8}
          value={pasted}
          spellCheck={false}
          placeholder={'title,author,price,stock\n三体,刘慈欣,23.00,20'}
          onChange={({ target }) => {
            setPasted(target.value);
            setProblem(undefined);
            onChoose(target.value.trim() === '' ? undefined : { name: t.pasted, text: target.value });
          }}
        />
      </details>
      <div role="alert" className="problem">
        {problem}
      </div>
    </>
  );
}

interface SourceSettingsProps {
  source: Source;
  table: Table;
  /** Undefined for pasted text. */
  encoding: Encoding | undefined;
  onEncoding: (encoding: Encoding) => void;
  onSeparator: (separator: string) => void;
}

/** What was found in the file, to be corrected if it is wrong. */
export function SourceSettings({ source, table, encoding, onEncoding, onSeparator }: SourceSettingsProps) {
  const t = useImportTexts();
  const facts = [source.name, t.formats[table.format], t.rows(table.rows.length)].filter((fact) => fact !== undefined);
  const { separator } = table;
  const separators = Object.keys(t.separators);
  return (
    <div className="import-source">
      <p role="status">
        <strong>{facts[0]}</strong> {facts.slice(1).join(' · ')}
      </p>
      {encoding && (
        <label>
          {t.encoding}{' '}
          <select value={encoding} onChange={({ target }) => onEncoding(target.value as Encoding)}>
            {encodings.map((name) => (
              <option key={name} value={name}>
                {t.encodings[name]}
              </option>
            ))}
          </select>
        </label>
      )}
      {separator !== undefined && (
        <label>
          {t.separator}{' '}
          <select value={separator} onChange={({ target }) => onSeparator(target.value)}>
            {[...new Set([...separators, separator])].map((character) => (
              <option key={character} value={character}>
                {t.separators[character] ?? character}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}
