import type { Performance } from './performance.js';

const WIDTH = 760;
const LEFT = 92;
const PANEL = 290;
const GAP = 46;
const ROW = 24;
const BAR = 16;
const HEAD = 50;
const GROUP = 34;
/** Room at the end of the longest bar for its figure. */
const LABEL = 62;

/** In the order in which they are drawn: the hub, what one would write, and the floor. */
const SYSTEMS = ['hub', 'lean', 'usual', 'bare'] as const;
const DATABASES = { sqlite: 'SQLite', mariadb: 'MariaDB', mysql: 'MySQL' } as Record<string, string>;
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

/** Bars of the rate and of the cost of `place`, by system and database, legible by day and by night. */
export function chart({ results }: Performance): string | undefined {
  const databases = Object.keys(DATABASES).filter((database) => results[database]?.place);
  if (databases.length === 0) return undefined;
  const groupHeight = GROUP + SYSTEMS.length * ROW;
  const height = HEAD + databases.length * groupHeight + 34;
  const parts: string[] = [];
  PANELS.forEach(({ title, figure }, panel) => {
    const x = LEFT + panel * (PANEL + GAP);
    const figureOf = (database: string, system: string) => results[database]?.place?.rows[system]?.median[figure];
    const most = Math.max(...databases.flatMap((database) => SYSTEMS.map((system) => figureOf(database, system) ?? 0)));
    parts.push(text(x, 30, title.replaceAll('`', ''), 'title'));
    databases.forEach((database, index) => {
      const top = HEAD + index * groupHeight;
      if (panel === 0) parts.push(text(16, top + 14, DATABASES[database] ?? database, 'database'));
      SYSTEMS.forEach((system, line) => {
        const value = figureOf(database, system);
        if (value === undefined) return;
        const y = top + GROUP - 10 + line * ROW;
        const width = Math.max(1.5, (value / most) * (PANEL - LABEL));
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
  const says = 'lean: prepared SQL, usual: TypeORM, each one transaction a command; bare: Socket.IO alone, no database';
  parts.push(text(16, height - 14, says, 'quiet'));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Rate and cost of place, by system and database">
<style>${STYLE}
</style>
${parts.join('\n')}
</svg>
`;
}

function text(x: number, y: number, says: string, kind: string, anchor = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y}" class="${kind}" text-anchor="${anchor}">${says}</text>`;
}
