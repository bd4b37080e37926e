import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Actor } from '../shared/actor.js';
import { DomainError } from '../shared/domain-error.js';
import { maskPhone } from '../shared/masking.js';
import { maskOpenid } from './masks.js';
import { UserProfilesRepository } from './user-profiles.repository.js';
import type { ProfileRecord } from './user-profiles.repository.js';
import { MAINLAND_MOBILE_PATTERN } from './users.types.js';
import type { ProfileChange, UserProfile } from './users.types.js';

/** A phone of a family or a shop has a few users; nobody reads through more. */
const FOUND_BY_PHONE_MAX = 50;
const MAINLAND_CODE = '+86';

/** Users for operators: found, looked at, and their profile mended. What they have is the ledger's. */
@Injectable()
export class UserProfilesService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly profiles: UserProfilesRepository,
    private readonly audit: AuditService,
  ) {}

  /** @throws DomainError `not_found` */
  async get(id: string): Promise<UserProfile> {
    const profile = await this.profiles.find(this.unitOfWork.reader, id);
    if (!profile) throw unknownUser();
    return toProfile(profile);
  }

  /** Exactly this openid, also by case. */
  async findByOpenid(openid: string): Promise<UserProfile | null> {
    const profile = await this.profiles.findByOpenid(this.unitOfWork.reader, openid);
    return profile && toProfile(profile);
  }

  /** All users with this number, with or without the code of the mainland; at most {@link FOUND_BY_PHONE_MAX}. */
  async listByPhone(phone: string): Promise<UserProfile[]> {
    const { reader } = this.unitOfWork;
    const profiles = await this.profiles.listByPhone(reader, spellingsOf(phone), FOUND_BY_PHONE_MAX);
    return profiles.map(toProfile);
  }

  /** Writes what differs, and nothing else. @throws DomainError `not_found` */
  async change(id: string, wanted: ProfileChange, by: Actor): Promise<UserProfile> {
    await this.unitOfWork.run(async (tx) => {
      const profile = await this.profiles.lock(tx, id);
      if (!profile) throw unknownUser();
      const change = differing(profile, wanted);
      if (Object.keys(change).length === 0) return;
      await this.profiles.change(tx, profile.id, change);
      await this.audit.append(tx, {
        actor: by,
        action: 'user.changed',
        targetType: 'user',
        targetId: profile.id,
        before: masked(pick(profile, change)),
        after: masked(change),
      });
    });
    return this.get(id);
  }
}

function differing(profile: ProfileRecord, wanted: ProfileChange): ProfileChange {
  const fields = Object.entries(wanted) as [keyof ProfileChange, string | null | undefined][];
  return Object.fromEntries(
    fields.filter(([field, value]) => value !== undefined && value !== profile[field]),
  );
}

function pick(profile: ProfileRecord, change: ProfileChange): Record<string, string | null> {
  const fields = Object.keys(change) as (keyof ProfileChange)[];
  return Object.fromEntries(fields.map((field) => [field, profile[field]]));
}

function masked(fields: Readonly<Record<string, string | null | undefined>>): Record<string, unknown> {
  return fields.phone ? { ...fields, phone: maskPhone(fields.phone) } : { ...fields };
}

function spellingsOf(phone: string): string[] {
  const national = phone.startsWith(MAINLAND_CODE) ? phone.slice(MAINLAND_CODE.length) : phone;
  return MAINLAND_MOBILE_PATTERN.test(national) ? [national, MAINLAND_CODE + national] : [phone];
}

function toProfile(profile: ProfileRecord): UserProfile {
  return {
    ...profile,
    openid: profile.openid && maskOpenid(profile.openid),
    phone: profile.phone && maskPhone(profile.phone),
  };
}

function unknownUser(): DomainError {
  return new DomainError('not_found', 'not_found', 'No such user is known.');
}
