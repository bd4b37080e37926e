import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ProductOrderBatchItem } from './product-order-batch-item.entity.js';
import { ProductOrder } from './product-order.entity.js';
import { ProductOrdersRepository } from './product-orders.repository.js';
import { ProductOrdersService } from './product-orders.service.js';
import { WorkshopFileService } from './workshop-file.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([ProductOrder, ProductOrderBatchItem])],
  providers: [ProductOrdersRepository, ProductOrdersService, WorkshopFileService],
  exports: [ProductOrdersService, WorkshopFileService],
})
export class ProductsModule {}
