import { Inject, Injectable } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { InjectRepository } from '@nestjs/typeorm';
import type { Request, Response } from 'express';
import { Repository } from 'typeorm';
import { CONFIG, type Config } from '../config.js';
import { errorTypes, HubError } from '../contract/errors.js';
import type { TopupStatus } from '../contract/payments.js';
import { ErrorMapper } from '../platform/error.mapper.js';
import { PaymentEvents } from './payment.events.js';
import { PAYMENT_PROVIDER, type PaymentProvider } from './payment.provider.js';
import { returnUrlOf } from './return.url.js';
import { TEST_PAGE_PATH, TestProvider } from './test.provider.js';
import { Topup } from './topup.entity.js';

/** Its own, because it is a form without script, and the pages of the hub have no form. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const FORM_BYTES_MAX = 1_024;

const outcomes: Record<TopupStatus, string> = {
  pending: '',
  succeeded: 'Paid. The money is in the wallet, or has paid the order.',
  failed: 'Not paid.',
  disputed: 'The amount is not the one that was asked for. Nothing was credited.',
};

/** Serves the page of the test provider, where one says yes or no; its answer comes in as an event of any provider does. */
@Injectable()
export class TestPage {
  constructor(
    private readonly events: PaymentEvents,
    private readonly errors: ErrorMapper,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider | undefined,
    @InjectRepository(Topup) private readonly topups: Repository<Topup>,
  ) {}

  /** Only where the hub has the test provider. */
  serve(app: NestExpressApplication): void {
    const { provider } = this;
    if (!(provider instanceof TestProvider)) return;
    app.useBodyParser('urlencoded', {
      extended: false,
      limit: FORM_BYTES_MAX,
      type: ({ url = '' }) => url.startsWith(`${TEST_PAGE_PATH}/`),
    });
    app.use(`${TEST_PAGE_PATH}/:topupId`, (request: Request<{ topupId: string }>, response: Response) => {
      this.answer(provider, request, response).catch((error: unknown) => this.fail(error, response));
    });
  }

  private async answer(
    provider: TestProvider,
    { method, params: { topupId }, body }: Request<{ topupId: string }>,
    response: Response,
  ): Promise<void> {
    const topup = await this.topups.findOneBy({ topupId, provider: 'test' });
    if (!topup) throw new HubError('NOT_FOUND', undefined, { what: 'topup' });
    const answer: unknown = (body as { answer?: unknown } | undefined)?.answer;
    if (method === 'POST' && (answer === 'yes' || answer === 'no')) {
      const event = provider.eventOf(topup, answer === 'yes');
      await this.events.receive(event.body, event.headers);
      // To a page that can be loaded again without sending the answer again.
      return response.redirect(303, `${TEST_PAGE_PATH}/${topupId}`);
    }
    send(response, 200, pageOf(topup, returnUrlOf(this.config.publicUrl ?? '', topup)));
  }

  private fail(error: unknown, response: Response): void {
    const { code, message } = this.errors.toErrorBody(error);
    if (!response.headersSent) send(response, errorTypes[code].status, html(`<p>${escapeHtml(message)}</p>`));
  }
}

function pageOf({ amount, currency, status }: Topup, backUrl: string): string {
  const form = `<p>Do you pay this amount? No money moves: this page stands in for a payment provider.</p>
<form method="post"><button name="answer" value="yes">Yes, pay</button> <button name="answer" value="no">No</button></form>`;
  return html(`<p><strong>${escapeHtml(amountOf(amount, currency))}</strong></p>
${status === 'pending' ? form : `<p role="status">${outcomes[status]}</p>`}
<p><a href="${escapeHtml(backUrl)}">Back to the shop</a></p>`);
}

function amountOf(amount: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

function html(content: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Test payment</title>
<style>body{font:1.1rem/1.5 system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1.2rem}</style></head>
<body><main><h1>Test payment</h1>
${content}
</main></body>
</html>
`;
}

function send(response: Response, status: number, text: string): void {
  response.status(status).set('Content-Security-Policy', CONTENT_SECURITY_POLICY).set('Cache-Control', 'no-store');
  response.type('html').send(text);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
