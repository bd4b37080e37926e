import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Refund } from './refund.entity.js';

@Module({ imports: [TypeOrmModule.forFeature([Refund])] })
export class RefundsModule {}
