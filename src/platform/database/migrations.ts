import { CreateUsers2026112300001 } from '../../../migrations/2026112301-create-users.js';
import { CreatePaymentOrders2026112300002 } from '../../../migrations/2026112302-create-payment-orders.js';
import { CreateRefunds2026112300003 } from '../../../migrations/2026112303-create-refunds.js';
import { CreatePaymentLogs2026112300004 } from '../../../migrations/2026112304-create-payment-logs.js';
import { CreateGenerationHistory2026112300005 } from '../../../migrations/2026112305-create-generation-history.js';
import { CreateProductOrders2026112300006 } from '../../../migrations/2026112306-create-product-orders.js';
import { CreateGreetingCards2026112300007 } from '../../../migrations/2026112307-create-greeting-cards.js';
import { CreateErrorLogs2026112300008 } from '../../../migrations/2026112308-create-error-logs.js';
import { AddGenerationHistoryUnlockColumns2026112300009 } from '../../../migrations/2026112309-add-generation-history-unlock-columns.js';
import { IndexUsers2026112300010 } from '../../../migrations/2026112310-index-users.js';
import { IndexPaymentOrders2026112300011 } from '../../../migrations/2026112311-index-payment-orders.js';
import { IndexRefunds2026112300012 } from '../../../migrations/2026112312-index-refunds.js';
import { IndexPaymentLogs2026112300013 } from '../../../migrations/2026112313-index-payment-logs.js';
import { IndexGenerationHistory2026112300014 } from '../../../migrations/2026112314-index-generation-history.js';
import { IndexProductOrders2026112300015 } from '../../../migrations/2026112315-index-product-orders.js';
import { IndexGreetingCards2026112300016 } from '../../../migrations/2026112316-index-greeting-cards.js';
import { IndexErrorLogs2026112300017 } from '../../../migrations/2026112317-index-error-logs.js';
import { CreateInboxMessages2026112300018 } from '../../../migrations/2026112318-create-inbox-messages.js';
import { CreateEntitlementGrants2026112300019 } from '../../../migrations/2026112319-create-entitlement-grants.js';
import { CreatePriceConfigs2026112300020 } from '../../../migrations/2026112320-create-price-configs.js';
import { CreateOutboxMessages2026112300021 } from '../../../migrations/2026112321-create-outbox-messages.js';
import { CreateJobLeases2026112300022 } from '../../../migrations/2026112322-create-job-leases.js';
import { CreateAdminTokens2026112300023 } from '../../../migrations/2026112323-create-admin-tokens.js';
import { CreateAuditLogs2026112300024 } from '../../../migrations/2026112324-create-audit-logs.js';
import { CreateExceptions2026112300025 } from '../../../migrations/2026112325-create-exceptions.js';
import { SeedPriceConfigs2026112300026 } from '../../../migrations/2026112326-seed-price-configs.js';
import { RecordOrdersFulfilledEarlier2026112300027 } from '../../../migrations/2026112327-record-orders-fulfilled-earlier.js';
import { CreateOrderQueries2026112300028 } from '../../../migrations/2026112328-create-order-queries.js';
import { OutboxChannels2026112400001 } from '../../../migrations/2026112401-outbox-channels.js';
import { CreateRefundSettlements2026112400010 } from '../../../migrations/2026112410-create-refund-settlements.js';
import { IndexRefundsByChange2026112400011 } from '../../../migrations/2026112411-index-refunds-by-change.js';
import { CreateBillChecks2026112400012 } from '../../../migrations/2026112412-create-bill-checks.js';
import { IndexRefundsByCreation2026112400013 } from '../../../migrations/2026112413-index-refunds-by-creation.js';
import { AddPriceConfigsScheduledFor2026112400020 } from '../../../migrations/2026112420-add-price-configs-scheduled-for.js';
import { IndexPriceConfigs2026112400021 } from '../../../migrations/2026112421-index-price-configs.js';
import { IndexAuditLogs2026112400022 } from '../../../migrations/2026112422-index-audit-logs.js';
import { IndexPaymentOrdersForListings2026112400030 } from '../../../migrations/2026112430-index-payment-orders-for-listings.js';
import { IndexExceptionsBySubject2026112400031 } from '../../../migrations/2026112431-index-exceptions-by-subject.js';
import { IndexUsersByPhone2026112400032 } from '../../../migrations/2026112432-index-users-by-phone.js';
import { IndexRefundsByTime2026112400041 } from '../../../migrations/2026112441-index-refunds-by-time.js';
import { IndexProductOrdersByTime2026112400042 } from '../../../migrations/2026112442-index-product-orders-by-time.js';
import { IndexGenerationHistoryByTime2026112400043 } from '../../../migrations/2026112443-index-generation-history-by-time.js';
import { IndexGreetingCardsByTime2026112400044 } from '../../../migrations/2026112444-index-greeting-cards-by-time.js';
import { CreateProductOrderBatchItems2026112400045 } from '../../../migrations/2026112445-create-product-order-batch-items.js';

/** Every migration in the order of application; a new one is added at the end. */
export const MIGRATIONS = [
  CreateUsers2026112300001,
  CreatePaymentOrders2026112300002,
  CreateRefunds2026112300003,
  CreatePaymentLogs2026112300004,
  CreateGenerationHistory2026112300005,
  CreateProductOrders2026112300006,
  CreateGreetingCards2026112300007,
  CreateErrorLogs2026112300008,
  AddGenerationHistoryUnlockColumns2026112300009,
  IndexUsers2026112300010,
  IndexPaymentOrders2026112300011,
  IndexRefunds2026112300012,
  IndexPaymentLogs2026112300013,
  IndexGenerationHistory2026112300014,
  IndexProductOrders2026112300015,
  IndexGreetingCards2026112300016,
  IndexErrorLogs2026112300017,
  CreateInboxMessages2026112300018,
  CreateEntitlementGrants2026112300019,
  CreatePriceConfigs2026112300020,
  CreateOutboxMessages2026112300021,
  CreateJobLeases2026112300022,
  CreateAdminTokens2026112300023,
  CreateAuditLogs2026112300024,
  CreateExceptions2026112300025,
  SeedPriceConfigs2026112300026,
  RecordOrdersFulfilledEarlier2026112300027,
  CreateOrderQueries2026112300028,
  OutboxChannels2026112400001,
  CreateRefundSettlements2026112400010,
  IndexRefundsByChange2026112400011,
  CreateBillChecks2026112400012,
  IndexRefundsByCreation2026112400013,
  AddPriceConfigsScheduledFor2026112400020,
  IndexPriceConfigs2026112400021,
  IndexAuditLogs2026112400022,
  IndexPaymentOrdersForListings2026112400030,
  IndexExceptionsBySubject2026112400031,
  IndexUsersByPhone2026112400032,
  IndexRefundsByTime2026112400041,
  IndexProductOrdersByTime2026112400042,
  IndexGenerationHistoryByTime2026112400043,
  IndexGreetingCardsByTime2026112400044,
  CreateProductOrderBatchItems2026112400045,
];
