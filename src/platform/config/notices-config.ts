import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { EnvReader } from './env-reader.js';
import { readSecret } from './secret-reader.js';
import { readBaseUrl, readEndpoint } from './url-reader.js';

const MINI_PROGRAM_API_BASE_URL = 'https://api.weixin.qq.com';

/** Secrets are kept as key objects, which print as their type only. */
export type WebhookConfig = {
  /** May carry a secret of the receiver in its query: it is never logged. */
  readonly url: URL;
  readonly secret: KeyObject;
};

/** What a value of a subscribe message may be: WeChat checks each by its own rule. */
export type TemplateFieldKind = (typeof TEMPLATE_FIELD_KINDS)[number];

export type TemplateField = {
  /** As the template names it, for example `thing4`. */
  readonly name: string;
  readonly kind: TemplateFieldKind;
  /** Text with placeholders in braces. */
  readonly text: string;
};

export type SubscribeMessageConfig = {
  readonly appid: string;
  readonly appSecret: KeyObject;
  readonly templateId: string;
  /** The page of the mini program that a tap opens, if any. */
  readonly page: string | null;
  readonly fields: readonly TemplateField[];
  /** Scheme and host, without a final slash. */
  readonly apiBaseUrl: string;
};

export type NoticesConfig = {
  readonly webhook: WebhookConfig | null;
  readonly subscribeMessage: SubscribeMessageConfig | null;
};

const TEMPLATE_FIELD_KINDS = [
  'thing',
  'character_string',
  'number',
  'letter',
  'symbol',
  'phrase',
  'name',
  'amount',
  'time',
  'date',
] as const;

/** What a payment can say about itself in a message. */
export const TEMPLATE_PLACEHOLDERS = [
  'outTradeNo',
  'orderId',
  'amountYuan',
  'paidAt',
  'packageName',
] as const;

export type TemplatePlaceholder = (typeof TEMPLATE_PLACEHOLDERS)[number];

/** Any of these says that subscribe messages are meant to be sent; then all that is needed must be there. */
const SUBSCRIBE_VARIABLES = [
  'WECHAT_APP_SECRET',
  'WECHAT_SUBSCRIBE_TEMPLATE_ID',
  'WECHAT_SUBSCRIBE_DATA',
  'WECHAT_SUBSCRIBE_PAGE',
] as const;

const FIELD_NAME_PATTERN = /^([a-z_]+)\d{1,3}$/;
const PLACEHOLDER_PATTERN = /\{([^{}]*)\}/g;
const FIELDS_MAX = 20;
const FIELD_TEXT_LENGTH_MAX = 200;
const APPID_PATTERN = /^[0-9A-Za-z_-]{1,32}$/;
const TEMPLATE_ID_PATTERN = /^[0-9A-Za-z_-]{10,64}$/;
const PAGE_PATTERN = /^[0-9A-Za-z_\-/]+(\?[0-9A-Za-z_\-/=&%.]*)?$/;

/** What is wrong goes to `read.problems`, by variable and never by value. */
export function readNotices(read: EnvReader): NoticesConfig {
  return { webhook: readWebhook(read), subscribeMessage: readSubscribeMessage(read) };
}

function readWebhook(read: EnvReader): WebhookConfig | null {
  const names = ['NOTICE_WEBHOOK_URL', 'NOTICE_WEBHOOK_SECRET'];
  if (names.every((name) => read.optionalText(name) === undefined)) return null;
  const url = readEndpoint(read, 'NOTICE_WEBHOOK_URL');
  const secret = readSecret(read, 'NOTICE_WEBHOOK_SECRET');
  return url && secret ? { url, secret: createSecretKey(secret, 'utf8') } : null;
}

function readSubscribeMessage(read: EnvReader): SubscribeMessageConfig | null {
  if (SUBSCRIBE_VARIABLES.every((name) => read.optionalText(name) === undefined)) return null;
  const problemsBefore = read.problems.length;
  const appSecret = read.text('WECHAT_APP_SECRET');
  const config = {
    appid: matching(read, 'WECHAT_APPID', APPID_PATTERN, 'the appid of the mini program'),
    templateId: matching(
      read,
      'WECHAT_SUBSCRIBE_TEMPLATE_ID',
      TEMPLATE_ID_PATTERN,
      'the id of a template (模板ID)',
    ),
    page: readPage(read),
    fields: readFields(read),
    apiBaseUrl: readBaseUrl(read, 'WECHAT_MP_API_BASE_URL', MINI_PROGRAM_API_BASE_URL),
  };
  if (read.problems.length > problemsBefore) return null;
  return { ...config, appSecret: createSecretKey(appSecret, 'utf8') };
}

function readPage(read: EnvReader): string | null {
  const page = read.optionalText('WECHAT_SUBSCRIBE_PAGE');
  if (page === undefined) return null;
  if (!PAGE_PATTERN.test(page))
    read.problems.push(
      'WECHAT_SUBSCRIBE_PAGE must be a page of the mini program, like pages/order/list?tab=paid',
    );
  return page;
}

function readFields(read: EnvReader): TemplateField[] {
  const name = 'WECHAT_SUBSCRIBE_DATA';
  const text = read.text(name);
  if (!text) return [];
  const given = parseObject(text);
  if (!given || Object.keys(given).length === 0 || Object.keys(given).length > FIELDS_MAX) {
    read.problems.push(
      `${name} must be a JSON object of the template's fields, like {"thing1":"{packageName}"}`,
    );
    return [];
  }
  return Object.entries(given).flatMap(([field, value]) => readField(read, field, value) ?? []);
}

function readField(read: EnvReader, name: string, text: unknown): TemplateField | null {
  const stem = FIELD_NAME_PATTERN.exec(name)?.[1];
  const kind = TEMPLATE_FIELD_KINDS.find((known) => known === stem);
  if (!kind) {
    read.problems.push(
      `WECHAT_SUBSCRIBE_DATA may have fields like thing1, of these kinds: ${TEMPLATE_FIELD_KINDS.join(', ')}`,
    );
    return null;
  }
  if (typeof text !== 'string' || text.trim() === '' || text.length > FIELD_TEXT_LENGTH_MAX) {
    read.problems.push(`WECHAT_SUBSCRIBE_DATA must say a text for ${name}`);
    return null;
  }
  const unknown = [...text.matchAll(PLACEHOLDER_PATTERN)].some(([, inner]) => !isPlaceholder(inner));
  if (unknown || /[{}]/.test(text.replace(PLACEHOLDER_PATTERN, ''))) {
    const known = TEMPLATE_PLACEHOLDERS.map((placeholder) => `{${placeholder}}`).join(', ');
    read.problems.push(`WECHAT_SUBSCRIBE_DATA may say in ${name} no other placeholders than ${known}`);
    return null;
  }
  return { name, kind, text };
}

function isPlaceholder(text: string | undefined): text is TemplatePlaceholder {
  return TEMPLATE_PLACEHOLDERS.some((placeholder) => placeholder === text);
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null; // told by the caller, without the text: parsers quote their input
  }
}

function matching(read: EnvReader, name: string, pattern: RegExp, what: string): string {
  const value = read.text(name);
  if (value && !pattern.test(value)) read.problems.push(`${name} is not ${what}`);
  return value;
}
