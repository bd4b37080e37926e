import { Module } from '@nestjs/common';
import { WechatpayService } from './wechatpay.service.js';

@Module({ providers: [WechatpayService], exports: [WechatpayService] })
export class WechatpayModule {}
