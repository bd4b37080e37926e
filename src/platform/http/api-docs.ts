import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import { addRefusals } from './api-refusals.js';
import { ADMIN_TOKEN, INTERNAL_SECRET } from './documented.js';

const DOCS_PATH = 'docs';
const API_VERSION = '1.0.0'; // that of the contract with the cloud functions

const ABOUT = [
  'The backend of a shop that takes WeChat Pay through cloud functions.',
  '',
  'Amounts: `amountFen` is whole fen, `amount` yuan as text ("29.90"). Times: ISO 8601, in answers UTC; in requests with any',
  'zone, so the day of Beijing begins at `2026-01-27T00:00:00+08:00` (in an address the plus is `%2B`). Listings: `limit` and',
  '`cursor`; go on with `nextCursor`, and the same filters, until it is null. Errors: `{ success: false, error, message }`,',
  '`error` for programs and `message` for people. Every answer carries `X-Request-Id`, which the log and the audit log have.',
  '',
  'Somebody paid and got nothing: `GET /api/admin/users/{id}/orders` or `/orders?held=true`; `held` says why, and',
  '`POST /exceptions/{exceptionId}/grant` or `/refund` ends it. Why has a user this package: `GET /users/{id}/entitlements`.',
  'Money back: `POST /refunds`, then `GET /refunds/{outRefundNo}` until `status` is not `pending`. The books of a month:',
  '`/export/orders` and `/export/refunds` with `by=settled`, and `/statistics/daily` for the same days.',
].join('\n');

/** The OpenAPI document of everything the application serves, the same in the built backend and in the tests. */
export function describeApi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('wxpay-backend')
    .setDescription(ABOUT)
    .setVersion(API_VERSION)
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'wxadm_…',
        description:
          'Made by an administrator with `POST /api/admin/tokens`; the first one by `npm run admin -- token create`.',
      },
      ADMIN_TOKEN,
    )
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Internal-Secret' }, INTERNAL_SECRET)
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  return addRefusals(document);
}

/** The document at /docs-json and a page to read and try it at /docs; made when it is first asked for, not at boot. */
export function serveApiDocs(app: INestApplication): void {
  SwaggerModule.setup(DOCS_PATH, app, () => describeApi(app), {
    raw: ['json'],
    customSiteTitle: 'wxpay-backend',
  });
}
