import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';

/** Where the build of web/ leaves the browser pages, seen from src as from dist. */
const BUILT = fileURLToPath(new URL('../../dist/web', import.meta.url));
/** Files here are named by what they hold: another content has another name. */
const HASHED = join(BUILT, 'assets');
const YEAR_SECONDS = 31_536_000;

/** Nothing from elsewhere and nothing inline, but the covers of books: sellers keep those where they like. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' https:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the browser pages at `/`. What is not one of their files goes on to the routes, so that an unknown address is
 * answered as the contract says.
 */
export function servePages(app: NestExpressApplication): void {
  const compressed = new Set(existsSync(HASHED) ? readdirSync(HASHED).filter((name) => name.endsWith('.br')) : []);
  app.use((request: Request, response: Response, next: NextFunction) => {
    const copy = `${basename(request.path)}.br`;
    if (!request.path.startsWith('/assets/') || !compressed.has(copy)) return next();
    response.vary('Accept-Encoding');
    if (request.acceptsEncodings('br')) {
      response.type(basename(request.path));
      response.setHeader('Content-Encoding', 'br');
      request.url = `/assets/${copy}`;
    }
    next();
  });
  app.useStaticAssets(BUILT, {
    redirect: false,
    setHeaders(response: Response, path: string) {
      const lasting = path.startsWith(HASHED);
      response.setHeader('Cache-Control', lasting ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache');
      response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    },
  });
}
