import type { Page } from '../../shared/page.js';
import type { CursorCodec, CursorShape, PositionOf } from './cursor.js';
import { CURSOR_LENGTH_MAX } from './cursor.js';
import { IntegerField, TextField } from './fields.js';

const PAGE_SIZE_MAX = 200;
const PAGE_SIZE_DEFAULT = 50;

/** The query of every listing; each adds its filters. */
export class PageQuery {
  @IntegerField({ about: 'How many at most.', min: 1, max: PAGE_SIZE_MAX, fallback: PAGE_SIZE_DEFAULT })
  limit: number = PAGE_SIZE_DEFAULT;

  @TextField({
    about: 'The `nextCursor` of the page before; without it the listing begins anew.',
    lengthMax: CURSOR_LENGTH_MAX,
    optional: true,
  })
  cursor?: string;
}

export type ListAnswer<View> = {
  readonly success: true;
  readonly data: View[];
  readonly nextCursor: string | null;
};

export type Answer<View> = { readonly success: true; readonly data: View };

export function answer<View>(data: View): Answer<View> {
  return { success: true, data };
}

/** The answer of every listing. */
export function listAnswer<Item, View, Shape extends CursorShape>(
  page: Page<Item, PositionOf<Shape>>,
  cursors: CursorCodec<Shape>,
  toView: (item: Item) => View,
): ListAnswer<View> {
  return {
    success: true,
    data: page.items.map(toView),
    nextCursor: page.next === null ? null : cursors.encode(page.next),
  };
}
