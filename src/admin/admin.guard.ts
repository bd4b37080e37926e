import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Admission } from '../platform/http/admission.js';
import { RefusedTries, sourceIpOf } from '../platform/http/refused-tries.js';
import { admitByToken, isAdminPath, permissionOf } from '../platform/http/route-table.js';
import { DomainError } from '../shared/domain-error.js';
import { AccessService } from './access.service.js';
import type { AdminRequest } from './admin-request.js';
import { may } from './permissions.js';
import type { Permission } from './permissions.js';
import { bearerToken, namesBearer } from './token-format.js';
import type { TokenRecord } from './tokens.types.js';

const UNAUTHORIZED = 'Send a valid admin token: "Authorization: Bearer wxadm_…".';

/**
 * Stands before every route under /api/admin. Without a live token nobody passes, and with one only to what its role may.
 * A route elsewhere that names a permission takes a token as well: who sends one is judged by it here, and everybody
 * else by that route's own guard.
 */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(
    private readonly access: AccessService,
    private readonly refused: RefusedTries,
    private readonly admission: Admission,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AdminRequest>();
    if (!isAdminPath(request.routeOptions.url ?? '') && !comesByToken(request)) return true;
    const token = await this.authenticate(request, context.switchToHttp().getResponse<FastifyReply>());
    const permission = permissionOf(request.routeOptions) as Permission | undefined;
    if (!permission || !may(token.role, permission)) {
      throw new DomainError(
        'forbidden',
        'forbidden',
        `This needs the permission ${permission ?? 'of nobody'}, which the role ${token.role} does not have.`,
      );
    }
    admitByToken(request);
    await this.admission.admit(request);
    request.admin = {
      role: token.role,
      actor: { name: `admin:${token.name}`, requestId: request.id, sourceIp: sourceIpOf(request) },
    };
    return true;
  }

  /** The token is looked up before any budget is: whoever has one is never locked out by those who guess. */
  private async authenticate(request: FastifyRequest, reply: FastifyReply): Promise<TokenRecord> {
    // Node keeps the first of several Authorization headers in `headers`; all of them are here.
    const given = bearerToken(request.raw.headersDistinct.authorization ?? []);
    const token = given === null ? null : await this.access.identify(given);
    if (token) return token;
    this.refused.note(sourceIpOf(request), 'token');
    void reply.header('WWW-Authenticate', 'Bearer');
    throw new DomainError('Unauthorized', 'unauthorized', UNAUTHORIZED);
  }
}

function comesByToken(request: AdminRequest): boolean {
  const takesTokens = permissionOf(request.routeOptions) !== undefined;
  return takesTokens && namesBearer(request.raw.headersDistinct.authorization ?? []);
}
