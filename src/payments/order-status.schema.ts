import type { SchemaObject } from '@nestjs/swagger';

/** Of OrderStatusView in its envelope. */
export const ORDER_STATUS_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['success', 'data'],
  properties: {
    success: { type: 'boolean', enum: [true] },
    data: {
      type: 'object',
      required: ['outTradeNo', 'status', 'packageType', 'amount', 'paidAt', 'granted'],
      properties: {
        outTradeNo: { type: 'string', example: '170634567890112345' },
        status: { type: 'string', enum: ['pending', 'paid', 'failed', 'refunded'] },
        packageType: { type: 'string', enum: ['free', 'basic', 'premium'] },
        amount: { type: 'string', nullable: true, description: 'Yuan.', example: '29.90' },
        paidAt: { type: 'string', format: 'date-time', nullable: true },
        granted: { type: 'boolean', description: 'True once the user has what was paid for.' },
      },
    },
  },
};
