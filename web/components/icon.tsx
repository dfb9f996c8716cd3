/** SVG paths. Every icon accompanies a text, so it is hidden from screen readers. */
const paths = {
  seal: 'M7 5h10v14H7z M10 5v14 M13 9h2 M13 12h2',
  shop: 'M4 5h5v14H4z M9 5h5v14H9z M14.5 6l4-1 2.5 13-4 1z',
  cart: 'M3 5h3l2 10h9l2-7H7 M10 19h.01 M16 19h.01',
  orders: 'M6 3h12v18l-3-2-3 2-3-2-3 2z M9 8h6 M9 12h6',
  wallet: 'M4 7h16v12H4z M4 7l10-3v3 M16 13h1',
  panel: 'M4 10l2-5h12l2 5 M5 10v9h14v-9 M10 19v-5h4v5',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4z M10 20h4',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
