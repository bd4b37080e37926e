import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PriceConfig } from './price-config.entity.js';
import { PriceSchedulesRepository } from './price-schedules.repository.js';
import { PriceSchedulesService } from './price-schedules.service.js';
import { PricesController } from './prices.controller.js';
import { PricesRepository } from './prices.repository.js';
import { PricesService } from './prices.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([PriceConfig])],
  controllers: [PricesController],
  providers: [PricesRepository, PricesService, PriceSchedulesRepository, PriceSchedulesService],
  exports: [PricesService, PriceSchedulesService],
})
export class PricesModule {}
