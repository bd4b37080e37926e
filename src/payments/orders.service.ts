import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Actor } from '../shared/actor.js';
import { DomainError } from '../shared/domain-error.js';
import type { OutTradeNo } from '../shared/ids.js';
import { pageOf } from '../shared/page.js';
import type { Page, PageRequest } from '../shared/page.js';
import { OrderListRepository } from './order-list.repository.js';
import { OrderRemarksRepository } from './order-remarks.repository.js';
import { OrderQueriesRepository } from './order-queries.repository.js';
import { OrderQueriesService } from './order-queries.service.js';
import { roadOf } from './order-roads.js';
import type { OpenQuestion, OrderAnswer, OrderFilter, OrderOverview, OrderPosition } from './orders.types.js';

/** An operator waits at a screen, and wants the answer more than a customer who only looks. */
const ASK_DEADLINE_MS = 3_000;

/** Orders for operators: found, looked at, remarked on, and asked about. Money moves and packages are granted elsewhere. */
@Injectable()
export class OrdersService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly overviews: OrderListRepository,
    private readonly remarks: OrderRemarksRepository,
    private readonly questions: OrderQueriesRepository,
    private readonly queries: OrderQueriesService,
    private readonly audit: AuditService,
  ) {}

  /**
   * The newest first: by their creation, with `paidFrom` or `paidTo` by their payment, with `held` by when they were held.
   * A page may be short and still have a next one, because what one page looks at is bounded.
   */
  async list(
    filter: OrderFilter,
    { after, limit }: PageRequest<OrderPosition>,
  ): Promise<Page<OrderOverview, OrderPosition>> {
    if (after && after.by !== roadOf(filter).name) {
      throw new DomainError('invalid_request', 'invalid', 'cursor must come from a listing of these filters');
    }
    const { reader } = this.unitOfWork;
    const lowest = await this.overviews.findLowestPlace(reader, filter, after);
    const rows = await this.overviews.list(reader, filter, { after, limit, lowest });
    const page = pageOf(rows, limit, ({ position }) => position);
    return { items: page.items.map(({ order }) => order), next: page.next ?? lowest };
  }

  /** @throws DomainError `not_found` */
  async get(outTradeNo: OutTradeNo): Promise<OrderOverview> {
    const order = await this.overviews.findByOutTradeNo(this.unitOfWork.reader, outTradeNo);
    if (!order) throw unknownOrder();
    return order;
  }

  /** The question to WeChat Pay that is open about the order; null when nobody asks. */
  findOpenQuestion(outTradeNo: string): Promise<OpenQuestion | null> {
    return this.questions.find(this.unitOfWork.reader, outTradeNo);
  }

  /** Writes the remark and nothing else; empty text clears it. The same remark again changes nothing. */
  async changeRemark(outTradeNo: OutTradeNo, text: string, by: Actor): Promise<OrderOverview> {
    const remark = text === '' ? null : text;
    await this.unitOfWork.run(async (tx) => {
      const order = await this.remarks.lock(tx, outTradeNo);
      if (!order) throw unknownOrder();
      if (order.remark === remark) return;
      await this.remarks.change(tx, order.id, remark);
      await this.audit.append(tx, {
        actor: by,
        action: 'order.remark_changed',
        targetType: 'payment_order',
        targetId: order.outTradeNo,
        before: { remark: order.remark },
        after: { remark },
      });
    });
    return this.get(outTradeNo);
  }

  /**
   * Asks WeChat Pay now and adopts its answer, as the schedule would later.
   * @throws DomainError `wechatpay_not_configured`, `wechatpay_no_answer` when nothing was learned and nothing changed,
   * `not_found` for an order that neither the table nor WeChat Pay knows
   */
  async ask(outTradeNo: OutTradeNo, by: Actor): Promise<{ answer: OrderAnswer; order: OrderOverview }> {
    const answer = await this.queries.askNow(outTradeNo, { deadlineMs: ASK_DEADLINE_MS });
    if (answer === null) {
      throw new DomainError(
        'wechatpay_no_answer',
        'unavailable',
        'WeChat Pay did not answer: nothing is known, and nothing was changed. Ask again in a moment.',
      );
    }
    const order = await this.get(outTradeNo);
    await this.unitOfWork.run((tx) =>
      this.audit.append(tx, {
        actor: by,
        action: 'order.asked',
        targetType: 'payment_order',
        targetId: order.outTradeNo,
        after: { answer, status: order.status },
      }),
    );
    return { answer, order };
  }
}

function unknownOrder(): DomainError {
  return new DomainError('not_found', 'not_found', 'No such order is known.');
}
