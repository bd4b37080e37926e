/** The topics of inbox messages. They are stored: a name once used keeps its meaning. */
export const ORDER_CREATED = 'order_created';
export const PAYMENT_NOTIFIED = 'payment_notified';
export const WECHAT_PAYMENT = 'wechat_payment';
export const WECHAT_REFUND = 'wechat_refund';
