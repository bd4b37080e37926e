/** What people read in exports; the code of the table stands beside it. */
export const ORDER_STATUS_WORDS: Readonly<Record<string, string>> = {
  pending: '待支付',
  paid: '已支付',
  failed: '支付失败',
  refunded: '已退款',
};

export const REFUND_STATUS_WORDS: Readonly<Record<string, string>> = {
  pending: '退款中',
  success: '退款成功',
  closed: '退款关闭',
  abnormal: '退款异常',
};

export const PRODUCT_ORDER_STATUS_WORDS: Readonly<Record<string, string>> = {
  pending: '待支付',
  paid: '已支付',
  exported: '已导出',
  shipped: '已发货',
  delivered: '已送达',
  cancelled: '已取消',
};

export const PACKAGE_WORDS: Readonly<Record<string, string>> = {
  free: '免费',
  basic: '尝鲜包',
  premium: '尊享包',
};

export const PRODUCT_WORDS: Readonly<Record<string, string>> = { crystal: '水晶', scroll: '卷轴' };

/** An unknown code has no word: it speaks for itself in the column beside. */
export function wordFor(words: Readonly<Record<string, string>>, code: string | null): string {
  return words[code ?? ''] ?? '其他';
}
