import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { DomainError } from '../../shared/domain-error.js';
import { AppConfig } from '../config/app-config.js';
import { RefusedTries, sourceIpOf } from './refused-tries.js';
import { isAdmittedByToken } from './route-table.js';

/**
 * Lets only the cloud functions in: `X-Internal-Secret` must be the current secret, or the previous one during a rotation.
 * On a route that takes an admin token as well, whoever came by one has been looked at by the guard of the admin API.
 */
@Injectable()
export class InternalSecretGuard implements CanActivate {
  private readonly digests: readonly Buffer[];

  constructor(
    config: AppConfig,
    private readonly refused: RefusedTries,
  ) {
    this.digests = config.internalSecrets.map(digest);
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (isAdmittedByToken(request)) return true;
    const header = request.headers['x-internal-secret'];
    const given = digest(typeof header === 'string' ? header : '');
    // Digests have one length and every one is compared, so the time tells nothing about the secrets.
    const matches = this.digests.filter((expected) => timingSafeEqual(expected, given));
    if (matches.length > 0) return true;
    // Counted only now: whoever has the secret is never locked out by those who guess it from the same address.
    this.refused.note(sourceIpOf(request), 'secret');
    throw new DomainError(
      'Unauthorized',
      'unauthorized',
      'Send the shared secret in the X-Internal-Secret header.',
    );
  }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
