import { Global, Module } from '@nestjs/common';
import { Clock } from '../../shared/clock.js';
import { AppConfig, loadConfig } from './app-config.js';

@Global()
@Module({
  providers: [
    { provide: AppConfig, useFactory: () => loadConfig(process.env) },
    { provide: Clock, useFactory: () => new Clock() },
  ],
  exports: [AppConfig, Clock],
})
export class ConfigModule {}
