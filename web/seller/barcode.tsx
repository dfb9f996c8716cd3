import { CODE128 } from 'jsbarcode/bin/barcodes/CODE128/index.js';

const HEIGHT = 48;
const MODULE_PX = 2;
const QUIET_ZONE = 10;

/** Code 128, which every scanner reads. Drawn here: the library's own renderer writes styles, which the page's CSP forbids. */
export function Barcode({ text }: { text: string }) {
  const { data } = new CODE128(text, {}).encode();
  const modules = data.length + 2 * QUIET_ZONE;
  const bars = [...data.matchAll(/1+/g)].map(({ 0: run, index }) => ({ at: index, width: run.length }));
  return (
    <svg
      className="barcode"
      role="img"
      aria-label={text}
      width={modules * MODULE_PX}
      height={HEIGHT}
      viewBox={`0 0 ${modules} ${HEIGHT}`}
      preserveAspectRatio="none"
      shapeRendering="crispEdges"
    >
      {bars.map(({ at, width }) => (
        <rect key={at} x={at + QUIET_ZONE} y={0} width={width} height={HEIGHT} />
      ))}
    </svg>
  );
}
