import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Generation } from './generation.entity.js';
import { GenerationsRepository } from './generations.repository.js';
import { GenerationsService } from './generations.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Generation])],
  providers: [GenerationsRepository, GenerationsService],
  exports: [GenerationsService],
})
export class GenerationsModule {}
