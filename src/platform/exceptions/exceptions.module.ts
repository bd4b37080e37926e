import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ExceptionItem } from './exception.entity.js';
import { ExceptionsRepository } from './exceptions.repository.js';
import { ExceptionsService } from './exceptions.service.js';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([ExceptionItem])],
  providers: [ExceptionsRepository, ExceptionsService],
  exports: [ExceptionsService],
})
export class ExceptionsModule {}
