import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AdminToken } from './admin-token.entity.js';

@Module({ imports: [TypeOrmModule.forFeature([AdminToken])] })
export class AdminModule {}
