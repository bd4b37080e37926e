import type { TemplateField } from '../platform/config/notices-config.js';
import type { DeliveryOutcome } from '../platform/outbox/outbox.types.js';

const FIELD_PATTERN = /data\.([a-z_]+\d{1,3})\.value/;
const NO_CONSENT = 43101;
const BAD_DATA = 47003;

/** Mistakes that no repeat mends: a person has to. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [40003, 'WeChat knows no such openid of this mini program'],
  [40037, 'WECHAT_SUBSCRIBE_TEMPLATE_ID is no template of this mini program'],
  [41030, 'WECHAT_SUBSCRIBE_PAGE is no page of this mini program'],
]);

/** What an errcode of the sending means for the notice. WeChat's own text is not repeated: it may quote what was sent. */
export function toOutcome(
  answer: { readonly errcode: number; readonly errmsg: string },
  fields: readonly TemplateField[],
): DeliveryOutcome {
  const { errcode, errmsg } = answer;
  if (errcode === 0) return { kind: 'delivered' };
  if (errcode === NO_CONSENT)
    return { kind: 'unwanted', reason: 'The user gave no consent, or it is used up (43101).' };
  if (errcode === BAD_DATA) {
    const named = FIELD_PATTERN.exec(errmsg)?.[1];
    const field = fields.find(({ name }) => name === named)?.name ?? 'a field';
    return {
      kind: 'refused',
      reason: `WeChat refuses the value of ${field}: see WECHAT_SUBSCRIBE_DATA (47003).`,
    };
  }
  const refusal = REFUSALS.get(errcode);
  if (refusal) return { kind: 'refused', reason: `${refusal} (${errcode}).` };
  return { kind: 'retry', reason: `WeChat answered errcode ${errcode}.` };
}
