import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { WechatCallbacksService } from './wechat-callbacks.service.js';

type CallbackAnswer = { readonly code: 'SUCCESS'; readonly message: string };

/** WeChat Pay reads the status only; the body is for whoever reads the log of a delivery. */
const FAIL_BODY = {
  toErrorBody: (refusal: { message: string }) => ({ code: 'FAIL', message: refusal.message }),
};
const SUCCESS: CallbackAnswer = { code: 'SUCCESS', message: '成功' };

/** What WeChat Pay itself posts. Any status but 2xx has it send the message again, up to 15 times within 24 hours. */
@Controller('api/payment')
export class WechatCallbacksController {
  constructor(private readonly callbacks: WechatCallbacksService) {}

  @Post('callback')
  @HttpCode(200)
  @RouteConfig(FAIL_BODY)
  async payment(@Req() request: FastifyRequest): Promise<CallbackAnswer> {
    await this.callbacks.accept('payment', request);
    return SUCCESS;
  }

  @Post('refund-callback')
  @HttpCode(200)
  @RouteConfig(FAIL_BODY)
  async refund(@Req() request: FastifyRequest): Promise<CallbackAnswer> {
    await this.callbacks.accept('refund', request);
    return SUCCESS;
  }
}
