import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PriceConfig } from './price-config.entity.js';
import { PricesController } from './prices.controller.js';
import { PricesRepository } from './prices.repository.js';
import { PricesService } from './prices.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([PriceConfig])],
  controllers: [PricesController],
  providers: [PricesRepository, PricesService],
  exports: [PricesService],
})
export class PricesModule {}
