import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';

const ADMIN_PATH = '/api/admin';

/** Requests that came by an admin token and may what their route asks for. */
const admittedByToken = new WeakSet<FastifyRequest>();

export type Route = {
  readonly method: string;
  readonly url: string;
  /** For routes of the admin API, and for those that take its tokens beside the secret of the cloud functions. */
  readonly permission: string | undefined;
};

export function isAdminPath(url: string): boolean {
  return url === ADMIN_PATH || url.startsWith(`${ADMIN_PATH}/`);
}

export function permissionOf(route: { readonly config?: unknown }): string | undefined {
  const { permission } = (route.config ?? {}) as { permission?: unknown };
  return typeof permission === 'string' ? permission : undefined;
}

/** For the guard of the admin API alone. */
export function admitByToken(request: FastifyRequest): void {
  admittedByToken.add(request);
}

export function isAdmittedByToken(request: FastifyRequest): boolean {
  return admittedByToken.has(request);
}

/** What the server really serves, as the router was told. The tests of the access rules walk it. */
@Injectable()
export class RouteTable {
  readonly routes: Route[] = [];

  /** @throws Error, and so no boot, when a route of the admin API does not say which permission it needs */
  watch(server: FastifyInstance): void {
    server.addHook('onRoute', (route) => this.add(route));
  }

  private add(route: RouteOptions): void {
    const permission = permissionOf(route);
    if (isAdminPath(route.url) && !permission) {
      throw new Error(`${String(route.method)} ${route.url} declares no permission: add @RequirePermission`);
    }
    for (const method of [route.method].flat()) this.routes.push({ method, url: route.url, permission });
  }
}
