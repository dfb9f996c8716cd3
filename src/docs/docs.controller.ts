import { Controller, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import { CONFIG, type Config } from '../config.js';
import { ContractRoute, Input } from '../platform/http/contract.route.js';
import { asyncApi } from './asyncapi.js';
import { openApi } from './openapi.js';
import { renderPage } from './page.js';

/** Serves the API documents and their page. Each is generated once, on its first request: the contract never changes. */
@Controller()
export class DocsController {
  private readonly openApi = once(() => openApi(this.config));
  private readonly asyncApi = once(asyncApi);
  private readonly page = once(() => renderPage(this.openApi(), this.asyncApi()));

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  @ContractRoute('openapi')
  openapi(@Input() _request: object): object {
    return this.openApi();
  }

  @ContractRoute('asyncapi')
  asyncapi(@Input() _request: object): object {
    return this.asyncApi();
  }

  @ContractRoute('docs')
  docs(@Input() _request: object, @Res({ passthrough: true }) response: Response): string {
    const { text, securityPolicy } = this.page();
    response.type('text/html');
    response.setHeader('Content-Security-Policy', securityPolicy);
    return text;
  }
}

function once<T>(generate: () => T): () => T {
  let result: T | undefined;
  return () => {
    result ??= generate();
    return result;
  };
}
