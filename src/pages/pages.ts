import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import type { Config } from '../config.js';
import { PAGE_SETTINGS_META, type PageSettings } from '../contract/page.settings.js';

/** The build output of web/; the relative path is valid from src and from dist. */
const BUILT = fileURLToPath(new URL('../../dist/web', import.meta.url));
/** File names here contain a content hash, so files never change. */
const HASHED = join(BUILT, 'assets');
const INDEX = join(BUILT, 'index.html');
const YEAR_SECONDS = 31_536_000;

/** Same origin only, nothing inline. Cover images may come from any https host, because sellers choose their URLs. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' https:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the browser pages at `/`. Other paths fall through to the routes, so that unknown ones get the contract's error. */
export function servePages(app: NestExpressApplication, config: Config): void {
  const page = existsSync(INDEX) ? withSettings(readFileSync(INDEX, 'utf8'), config) : undefined;
  const compressed = new Set(existsSync(HASHED) ? readdirSync(HASHED).filter((name) => name.endsWith('.br')) : []);
  app.use((request: Request, response: Response, next: NextFunction) => {
    const compressedName = `${basename(request.path)}.br`;
    if (!request.path.startsWith('/assets/') || !compressed.has(compressedName)) return next();
    response.vary('Accept-Encoding');
    if (request.acceptsEncodings('br')) {
      response.type(basename(request.path));
      response.setHeader('Content-Encoding', 'br');
      request.url = `/assets/${compressedName}`;
    }
    next();
  });
  app.use((request: Request, response: Response, next: NextFunction) => {
    const isPage = request.path === '/' || request.path === '/index.html';
    if (page === undefined || !isPage || !['GET', 'HEAD'].includes(request.method)) return next();
    setPolicy(response, 'no-cache');
    response.type('html').send(page);
  });
  app.useStaticAssets(BUILT, {
    index: false,
    redirect: false,
    setHeaders(response: Response, path: string) {
      setPolicy(response, path.startsWith(HASHED) ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache');
    },
  });
}

function setPolicy(response: Response, cacheControl: string): void {
  response.setHeader('Cache-Control', cacheControl);
  response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
}

/** The page with its settings. They come with it, because it shows prices before anyone has logged in. */
function withSettings(page: string, { currency, registration, funds, payments }: Config): string {
  const topUps = funds === 'open' ? 'open' : payments ? 'provider' : 'none';
  const settings: PageSettings = { currency, registration, topUps };
  const content = JSON.stringify(settings).replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const empty = `<meta name="${PAGE_SETTINGS_META}" content="" />`;
  if (!page.includes(empty)) throw new Error('The built page has no place for its settings');
  return page.replace(empty, empty.replace('""', `"${content}"`));
}
