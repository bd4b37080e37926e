import type {
  TemplateField,
  TemplateFieldKind,
  TemplatePlaceholder,
} from '../platform/config/notices-config.js';
import { Money } from '../shared/money.js';

/** WeChat refuses the whole message for one value that is too long. An amount or a time that is cut would be a lie: those are left. */
const LENGTH_MAX: Partial<Record<TemplateFieldKind, number>> = {
  thing: 20,
  character_string: 32,
  number: 32,
  letter: 32,
  symbol: 5,
  phrase: 5,
  name: 10,
};

const PLACEHOLDER_PATTERN = /\{(\w+)\}/g;
const BEIJING_OFFSET_MS = 8 * 3_600_000;
/** WeChat refuses empty values. */
const NOTHING = '-';

/** As the contract names the packages to customers. */
const PACKAGE_NAMES: Readonly<Record<string, string>> = { basic: '尝鲜包', premium: '尊享包' };

type Payload = Readonly<Record<string, unknown>>;

export type SubscribeData = Record<string, { value: string }>;

/** The `data` of a subscribe message: the configured texts with what the payment says, each cut to the rule of its kind. */
export function fillTemplate(
  fields: readonly TemplateField[],
  paid: { readonly payload: Payload; readonly stagedAt: Date },
): SubscribeData {
  const said = valuesOf(paid.payload, paid.stagedAt);
  return Object.fromEntries(
    fields.map(({ name, kind, text }) => {
      const filled = text.replace(
        PLACEHOLDER_PATTERN,
        (_, placeholder: TemplatePlaceholder) => said[placeholder],
      );
      // By characters and not by halves of them.
      const value = [...filled.trim()].slice(0, LENGTH_MAX[kind]).join('');
      return [name, { value: value || NOTHING }];
    }),
  );
}

function valuesOf(payload: Payload, stagedAt: Date): Record<TemplatePlaceholder, string> {
  const packageType = textOf(payload.packageType);
  const { amountFen, paidAt } = payload;
  return {
    outTradeNo: textOf(payload.outTradeNo),
    orderId: textOf(payload.orderId),
    amountYuan: typeof amountFen === 'number' ? Money.ofFen(amountFen).toYuan() : NOTHING,
    paidAt: toBeijingTime(typeof paidAt === 'string' ? new Date(paidAt) : stagedAt),
    packageName: PACKAGE_NAMES[packageType] ?? packageType,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : NOTHING;
}

/** As WeChat's rule for `time` writes it: 2026年1月27日 10:05. */
function toBeijingTime(at: Date): string {
  const beijing = new Date(at.getTime() + BEIJING_OFFSET_MS);
  const [hours, minutes] = [beijing.getUTCHours(), beijing.getUTCMinutes()].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${beijing.getUTCFullYear()}年${beijing.getUTCMonth() + 1}月${beijing.getUTCDate()}日 ${hours}:${minutes}`;
}

/** How long until the next day begins in Beijing, when WeChat's daily limits start anew. */
export function msUntilTomorrowInBeijing(nowMs: number): number {
  const dayMs = 24 * 3_600_000;
  return dayMs - ((nowMs + BEIJING_OFFSET_MS) % dayMs);
}
