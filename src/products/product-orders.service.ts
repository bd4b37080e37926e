import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import type { TimePosition } from '../platform/database/newest-first.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Actor } from '../shared/actor.js';
import { Clock } from '../shared/clock.js';
import { DomainError } from '../shared/domain-error.js';
import { pageOf } from '../shared/page.js';
import type { Page, PageRequest } from '../shared/page.js';
import { nextProductOrderState, productOrderStatesChangedBy } from './product-order.state.js';
import type { ProductOrderEvent } from './product-order.state.js';
import { ProductOrdersRepository } from './product-orders.repository.js';
import type {
  ProductOrderFilter,
  ProductOrderRecord,
  SettableState,
  WorkshopBatch,
} from './product-orders.types.js';

const EVENT_BY_STATE: Record<SettableState, ProductOrderEvent> = {
  paid: 'payment_recorded',
  shipped: 'shipped',
  delivered: 'delivered',
  cancelled: 'cancelled',
};

@Injectable()
export class ProductOrdersService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly orders: ProductOrdersRepository,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  async list(
    filter: ProductOrderFilter,
    page: PageRequest<TimePosition>,
  ): Promise<Page<ProductOrderRecord, TimePosition>> {
    const rows = await this.orders.list(this.unitOfWork.reader, filter, page);
    return pageOf(rows, page.limit, ({ id, createdAt }) => ({ id, at: createdAt?.toISOString() ?? '' }));
  }

  async get(id: string): Promise<ProductOrderRecord> {
    return found(await this.orders.find(this.unitOfWork.reader, id));
  }

  /** @throws DomainError `not_found`, or `state_conflict` when no way leads there from where the order is */
  async changeStatus(
    id: string,
    change: { readonly status: SettableState; readonly note?: string },
    by: Actor,
  ): Promise<ProductOrderRecord> {
    return this.unitOfWork.run(async (tx) => {
      const before = found(await this.orders.lockStatus(tx, id));
      const event = EVENT_BY_STATE[change.status];
      const next = nextProductOrderState(before, event);
      if (next === null) {
        throw new DomainError(
          'state_conflict',
          'conflict',
          `This order is ${before}: from there it does not become ${change.status}.`,
        );
      }
      await this.orders.changeStatus(tx, [id], { from: productOrderStatesChangedBy(event), to: next });
      const order = found(await this.orders.find(tx, id));
      await this.audit.append(tx, {
        actor: by,
        action: `product_order.${event}`,
        targetType: 'product_order',
        // As the table has it: the column compares without case.
        targetId: order.id,
        before: { status: before },
        after: { status: next },
        reason: change.note,
      });
      return order;
    });
  }

  /**
   * Takes paid orders for the workshop. They are marked together with the batch they stand in, and the file is made
   * from the batch: a download that breaks is made again, and no order is printed by two people or by none.
   */
  async exportBatch(limit: number, by: Actor): Promise<WorkshopBatch> {
    return this.unitOfWork.run(async (tx) => {
      const orderIds = await this.orders.lockUnbatchedIds(tx, 'paid', limit);
      if (orderIds.length === 0) {
        throw new DomainError('nothing_to_export', 'conflict', 'No paid order waits for the workshop.');
      }
      const id = `batch-${this.clock.nowMs()}-${randomBytes(6).toString('hex')}`;
      await this.orders.changeStatus(tx, orderIds, {
        from: productOrderStatesChangedBy('given_to_workshop'),
        to: 'exported',
      });
      await this.orders.insertBatch(tx, { id, orderIds, by: by.name });
      await this.audit.append(tx, {
        actor: by,
        action: 'product_order.given_to_workshop',
        targetType: 'product_order_batch',
        targetId: id,
        after: { orderIds },
      });
      return { id, orderIds };
    });
  }

  /** The orders of a batch as they are now, for its file; reading addresses leaves a trace. */
  async readBatch(id: string, by: Actor): Promise<readonly ProductOrderRecord[]> {
    return this.unitOfWork.run(async (tx) => {
      const orders = await this.orders.listBatch(tx, id);
      if (orders.length === 0) found(null);
      await this.audit.append(tx, {
        actor: by,
        action: 'product_order.batch_read',
        targetType: 'product_order_batch',
        targetId: id,
        after: { count: orders.length },
      });
      return orders;
    });
  }
}

function found<Value>(value: Value | null): Value {
  if (value === null) throw new DomainError('not_found', 'not_found', 'There is nothing with this id.');
  return value;
}
