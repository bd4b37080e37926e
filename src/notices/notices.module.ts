import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { NoticesService } from './notices.service.js';
import { SubscribeMessageChannel } from './subscribe-message.channel.js';
import { WebhookChannel } from './webhook.channel.js';

@Module({
  imports: [UsersModule],
  providers: [WebhookChannel, SubscribeMessageChannel, NoticesService],
  exports: [NoticesService],
})
export class NoticesModule {}
