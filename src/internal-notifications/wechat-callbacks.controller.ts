import { applyDecorators, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Lane } from '../platform/http/admission.js';
import { CALLBACK_BODY, callbackAnswer } from './notification.schema.js';
import { WechatCallbacksService } from './wechat-callbacks.service.js';

type CallbackAnswer = { readonly code: 'SUCCESS'; readonly message: string };

/** WeChat Pay reads the status only; the body is for whoever reads the log of a delivery. */
const CALLBACK = {
  lane: 'payment' satisfies Lane,
  toErrorBody: (refusal: { message: string }) => ({ code: 'FAIL', message: refusal.message }),
};
const SUCCESS: CallbackAnswer = { code: 'SUCCESS', message: '成功' };

const SIGNATURE_HEADERS = ['Timestamp', 'Nonce', 'Serial', 'Signature'].map((name) => `Wechatpay-${name}`);

const REFUSED: Readonly<Record<number, string>> = {
  400: 'It is proven to come from WeChat Pay, and cannot be read or is not for this merchant.',
  401: 'The signature does not prove that it comes from WeChat Pay.',
  503: 'WeChat Pay is not configured here, or nothing can be kept: it is sent again.',
};

const FromWechatpay = (summary: string) =>
  applyDecorators(
    ApiOperation({ summary }),
    ...SIGNATURE_HEADERS.map((name) => ApiHeader({ name, required: true })),
    ApiBody({ schema: CALLBACK_BODY }),
    ApiResponse({ status: 200, description: 'It is durable.', schema: callbackAnswer('SUCCESS') }),
    ...Object.entries(REFUSED).map(([status, description]) =>
      ApiResponse({
        status: Number(status),
        description,
        content: { 'application/json': { schema: callbackAnswer('FAIL') } },
      }),
    ),
  );

/** What WeChat Pay itself posts. Any status but 2xx has it send the message again, up to 15 times within 24 hours. */
@ApiTags('WeChat Pay')
@Controller('api/payment')
export class WechatCallbacksController {
  constructor(private readonly callbacks: WechatCallbacksService) {}

  @Post('callback')
  @HttpCode(200)
  @RouteConfig(CALLBACK)
  @FromWechatpay('An order was paid')
  async payment(@Req() request: FastifyRequest): Promise<CallbackAnswer> {
    await this.callbacks.accept('payment', request);
    return SUCCESS;
  }

  @Post('refund-callback')
  @HttpCode(200)
  @RouteConfig(CALLBACK)
  @FromWechatpay('The result of a refund')
  async refund(@Req() request: FastifyRequest): Promise<CallbackAnswer> {
    await this.callbacks.accept('refund', request);
    return SUCCESS;
  }
}
