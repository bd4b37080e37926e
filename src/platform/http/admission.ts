import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '../../shared/domain-error.js';
import { permissionOf } from './route-table.js';

/**
 * What gives way to what when there is more to do than can be done: `payment` is never refused here, `admin` gives way to
 * it, and `export`, which reads whole tables, to both. A route without a lane is neither counted nor refused.
 */
export type Lane = 'payment' | 'admin' | 'export';

/** Requests of operators that are worked on at once: fewer than the smallest pool has connections, which is eight. */
export const ADMIN_AT_ONCE_MAX = 6;
/** Those that wait for their turn: five screens at once, and none for longer than a person waits. */
export const ADMIN_WAITING_MAX = 30;
/**
 * Payments under way beyond which others are turned away. A payment takes milliseconds, so that more of them are there at
 * once only when they come faster than they can be kept, or when MySQL has just stalled.
 */
export const PAYMENTS_BEFORE_ADMIN = 100;
export const PAYMENTS_BEFORE_EXPORT = 25;

const DOCS_PATTERN = /^\/docs(-json)?(\/|$)/;

export function laneOf(route: { readonly url?: string; readonly config?: unknown }): Lane | undefined {
  const { lane } = (route.config ?? {}) as { lane?: Lane };
  // The pages of the documents are routes of a library, which knows no lanes; each is a quarter of a megabyte.
  return lane ?? (DOCS_PATTERN.test(route.url ?? '') ? 'export' : undefined);
}

/** Who may begin. All is by count and nothing by time, so that the same load is always treated the same. */
@Injectable()
export class Admission {
  private payments = 0;
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly admitted = new WeakMap<FastifyRequest, Lane>();

  /**
   * Takes the place that the route of this request needs; it is given back with the answer.
   * @throws DomainError `busy` as `enter` does
   */
  async admit(request: FastifyRequest): Promise<void> {
    const lane = laneOf(request.routeOptions);
    if (!lane) return;
    await this.enter(lane);
    this.admitted.set(request, lane);
  }

  dismiss(request: FastifyRequest): void {
    const lane = this.admitted.get(request);
    if (!lane) return;
    this.admitted.delete(request);
    this.leave(lane);
  }

  /** @throws DomainError `busy` at once when the request has to give way; else resolves when it is its turn */
  async enter(lane: Lane): Promise<void> {
    if (lane === 'payment') {
      this.payments += 1;
      return;
    }
    const isFree = this.running < ADMIN_AT_ONCE_MAX;
    const isAdmitted =
      lane === 'admin'
        ? this.payments < PAYMENTS_BEFORE_ADMIN && (isFree || this.waiting.length < ADMIN_WAITING_MAX)
        : this.payments < PAYMENTS_BEFORE_EXPORT && isFree;
    if (!isAdmitted) {
      throw new DomainError('busy', 'unavailable', 'Too much is asked at once: try again in a few seconds.');
    }
    if (isFree) this.running += 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  leave(lane: Lane): void {
    if (lane === 'payment') {
      this.payments -= 1;
      return;
    }
    const next = this.waiting.shift();
    // Whoever waited longest takes the place over as it is.
    if (next) next();
    else this.running -= 1;
  }
}

/**
 * A place is taken when the whole request is here, so that a slow client holds none, and given back with the answer. What
 * a token opens waits for its guard, which admits whom it knows: who has no token must not make operators wait.
 */
export function admitInOrder(server: FastifyInstance, admission: Admission): void {
  server.addHook('preValidation', (request, _reply, done) => {
    const { routeOptions } = request;
    if (permissionOf(routeOptions) !== undefined || !laneOf(routeOptions)) done();
    else admission.admit(request).then(() => done(), done);
  });
  server.addHook('onSend', (request, _reply, payload, done) => {
    admission.dismiss(request);
    done(null, payload);
  });
}
