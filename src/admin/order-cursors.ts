import { CursorCodec } from '../platform/http/cursor.js';

/** Of every listing of orders. */
export const ORDER_CURSORS = new CursorCodec('orders', { by: 'key', at: 'time', id: 'key' });
