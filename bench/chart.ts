import { DATABASE_NAMES, type Performance } from './performance.js';

const WIDTH = 760;
const LEFT = 92;
const PANEL_WIDTH = 290;
const GAP = 46;
const ROW = 24;
const BAR = 16;
const HEAD = 50;
const GROUP = 34;
/** Space for the value at the end of the longest bar. */
const LABEL = 62;

/** In drawing order. */
const SYSTEMS = ['hub', 'lean', 'usual', 'bare'] as const;
const PANELS = [
  { title: '`place` commands a second (more is better)', figure: 'perSecond' },
  { title: 'CPU µs for each of them (less is better)', figure: 'cpuUs' },
] as const;

const STYLE = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title, .database { font-weight: 600 }
  .quiet { fill: #59636e; font-size: 12px }
  .bar { fill: #8c959f }
  .hub { fill: #0a7d5a }
  .bare { fill: none; stroke: #8c959f; stroke-dasharray: 3 2 }
  .axis { stroke: #d1d9e0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .bar { fill: #6e7681 }
    .hub { fill: #3fb98a }
    .bare { fill: none; stroke: #8b949e }
    .axis { stroke: #3d444d }
  }`;

/** An SVG bar chart of the rate and CPU cost of `place`, by system and database, in light and dark colours. */
export function chart({ results }: Performance): string | undefined {
  const databases = Object.keys(DATABASE_NAMES).filter((database) => results[database]?.place);
  if (databases.length === 0) return undefined;
  const groupHeight = GROUP + SYSTEMS.length * ROW;
  const height = HEAD + databases.length * groupHeight + 34;
  const parts: string[] = [];
  PANELS.forEach(({ title, figure }, panel) => {
    const x = LEFT + panel * (PANEL_WIDTH + GAP);
    const figureOf = (database: string, system: string) => results[database]?.place?.rows[system]?.median[figure];
    const largest = Math.max(
      ...databases.flatMap((database) => SYSTEMS.map((system) => figureOf(database, system) ?? 0)),
    );
    parts.push(text(x, 30, title.replaceAll('`', ''), 'title'));
    databases.forEach((database, index) => {
      const top = HEAD + index * groupHeight;
      if (panel === 0) parts.push(text(16, top + 14, DATABASE_NAMES[database] ?? database, 'database'));
      SYSTEMS.forEach((system, row) => {
        const value = figureOf(database, system);
        if (value === undefined) return;
        const y = top + GROUP - 10 + row * ROW;
        const width = Math.max(1.5, (value / largest) * (PANEL_WIDTH - LABEL));
        if (panel === 0) parts.push(text(LEFT - 8, y + BAR - 3, system, 'quiet', 'end'));
        parts.push(
          `<rect class="bar ${system}" x="${x}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>`,
          text(x + width + 6, y + BAR - 3, Math.round(value).toLocaleString('en'), system === 'hub' ? 'title' : ''),
        );
      });
      const [from, to] = [top + GROUP - 14, top + groupHeight - 8];
      parts.push(`<line class="axis" x1="${x - 0.5}" x2="${x - 0.5}" y1="${from}" y2="${to}"/>`);
    });
  });
  const caption =
    'lean: prepared SQL, usual: TypeORM, each one transaction a command; bare: Socket.IO alone, no database';
  parts.push(text(16, height - 14, caption, 'quiet'));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Rate and cost of place, by system and database">
<style>${STYLE}
</style>
${parts.join('\n')}
</svg>
`;
}

function text(x: number, y: number, content: string, style: string, anchor = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y}" class="${style}" text-anchor="${anchor}">${content}</text>`;
}
