import { Controller, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Input, Serves } from '../platform/http.js';
import { asyncApi } from './asyncapi.js';
import { openApi } from './openapi.js';
import { renderPage } from './page.js';

/** The API documents, and the page that shows them. Each is made once, when first asked for: the contract does not change. */
@Controller()
export class DocsController {
  private readonly openApi = once(openApi);
  private readonly asyncApi = once(asyncApi);
  private readonly page = once(() => renderPage(this.openApi(), this.asyncApi()));

  @Serves('openapi')
  openapi(@Input() _nothing: object): object {
    return this.openApi();
  }

  @Serves('asyncapi')
  asyncapi(@Input() _nothing: object): object {
    return this.asyncApi();
  }

  @Serves('docs')
  docs(@Input() _nothing: object, @Res({ passthrough: true }) response: Response): string {
    const { text, securityPolicy } = this.page();
    response.type('text/html');
    response.setHeader('Content-Security-Policy', securityPolicy);
    return text;
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
