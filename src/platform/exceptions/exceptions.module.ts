import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ExceptionItemsService } from './exception-items.service.js';
import { ExceptionViewsRepository } from './exception-views.repository.js';
import { ExceptionItem } from './exception.entity.js';
import { ExceptionsRepository } from './exceptions.repository.js';
import { ExceptionsService } from './exceptions.service.js';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([ExceptionItem])],
  providers: [ExceptionsRepository, ExceptionViewsRepository, ExceptionsService, ExceptionItemsService],
  exports: [ExceptionsService, ExceptionItemsService],
})
export class ExceptionsModule {}
