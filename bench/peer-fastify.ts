/**
 * The limit: a Fastify that reads the same bodies and answers the same JSON, and keeps nothing. What this machine
 * cannot do here, no service on Fastify can do.
 */
import fastify from 'fastify';

const PRICES = {
  success: true,
  data: {
    packages: { basic: 0.01, premium: 29.9 },
    effectiveAt: '2026-01-27T00:00:00Z',
    updatedAt: '2026-01-27T00:00:00Z',
  },
};

const app = fastify();
app.post('/api/payment/internal/notify', () => ({ success: true, message: '处理成功' }));
app.post<{ Body: { orderId: string } }>('/api/payment/internal/order-created', ({ body }) => ({
  success: true,
  message: '订单已备份',
  orderId: body.orderId,
}));
app.get('/api/prices/current', () => PRICES);

await app.listen({ host: process.env.HOST, port: Number(process.env.PORT) });
