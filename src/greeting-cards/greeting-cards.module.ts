import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GreetingCard } from './greeting-card.entity.js';

@Module({ imports: [TypeOrmModule.forFeature([GreetingCard])] })
export class GreetingCardsModule {}
