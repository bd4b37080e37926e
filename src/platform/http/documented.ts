import { applyDecorators } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';

/** The security schemes of the document. */
export const ADMIN_TOKEN = 'adminToken';
export const INTERNAL_SECRET = 'internalSecret';

/*
 * What the OpenAPI document says of answers. The refusals that every route of a kind has are added in api-refusals.ts;
 * a route names only its successes.
 */

/** `{ success: true, data: View }` */
export function Answers(
  view: Type,
  options: { readonly about: string; readonly status?: number },
): MethodDecorator {
  return documented(view, options, {
    required: ['success', 'data'],
    properties: { success: { type: 'boolean', enum: [true] }, data: { $ref: getSchemaPath(view) } },
  });
}

/** `{ success: true, data: View[], nextCursor }` */
export function AnswersList(view: Type, options: { readonly about: string }): MethodDecorator {
  return documented(view, options, {
    required: ['success', 'data', 'nextCursor'],
    properties: {
      success: { type: 'boolean', enum: [true] },
      data: { type: 'array', items: { $ref: getSchemaPath(view) } },
      nextCursor: {
        type: 'string',
        nullable: true,
        description: 'For the next page, as `cursor`; null when this is the last one.',
      },
    },
  });
}

/** What 409 means for this route. */
export function Conflicts(about: string): MethodDecorator {
  return ApiResponse({ status: 409, description: about });
}

function documented(
  view: Type,
  { about, status = 200 }: { readonly about: string; readonly status?: number },
  schema: Record<string, unknown>,
): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(view),
    ApiResponse({ status, description: about, schema: { type: 'object', ...schema } }),
  );
}
