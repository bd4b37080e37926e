import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ProductOrder } from './product-order.entity.js';

@Module({ imports: [TypeOrmModule.forFeature([ProductOrder])] })
export class ProductsModule {}
