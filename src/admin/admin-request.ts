import { applyDecorators, createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension, ApiForbiddenResponse, ApiSecurity } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Lane } from '../platform/http/admission.js';
import { ADMIN_TOKEN } from '../platform/http/documented.js';
import type { Actor } from '../shared/actor.js';
import { LOWEST_ROLE } from './permissions.js';
import type { Permission, Role } from './permissions.js';

/** A request that the guard let through. */
export type AdminRequest = FastifyRequest & { admin?: { readonly actor: Actor; readonly role: Role } };

/** What reads whole tables gives way to what looks at a page. */
const laneFor = (permission: Permission): Lane =>
  permission === 'export' || permission === 'statistics:read' ? 'export' : 'admin';

/** What a route under /api/admin is for. One without it stops the boot. */
export const RequirePermission = (permission: Permission): MethodDecorator =>
  applyDecorators(
    RouteConfig({ permission, lane: laneFor(permission) }),
    ApiSecurity(ADMIN_TOKEN),
    ApiExtension('x-permission', permission),
    ApiForbiddenResponse({
      description: `The route needs the permission \`${permission}\`, which roles from ${LOWEST_ROLE[permission]} on have.`,
    }),
  );

/** Who makes this request, for the services and their audit rows. */
export const CurrentActor = createParamDecorator(
  (_: unknown, context: ExecutionContext): Actor => adminOf(context).actor,
);

export const CurrentRole = createParamDecorator(
  (_: unknown, context: ExecutionContext): Role => adminOf(context).role,
);

function adminOf(context: ExecutionContext): NonNullable<AdminRequest['admin']> {
  const { admin } = context.switchToHttp().getRequest<AdminRequest>();
  if (!admin) throw new Error('this route is not under /api/admin: nobody asked who calls it');
  return admin;
}
