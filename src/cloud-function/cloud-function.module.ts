import { Module } from '@nestjs/common';
import { CloudFunctionService } from './cloud-function.service.js';

@Module({ providers: [CloudFunctionService], exports: [CloudFunctionService] })
export class CloudFunctionModule {}
