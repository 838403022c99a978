#include "services/manifest/catalog/fetch_claims.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/repository_name.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::FetchClaimRecord;

constexpr absl::Duration kRemovalInterval = absl::Minutes(1);

bool Holds(const FetchClaimRecord& record, absl::Time now) {
  const absl::Duration left = FromTimestamp(record.expires_at()) - now;
  // No claim lasts longer: the clock was set back.
  return left > absl::ZeroDuration() && left <= FetchClaims::kLifetimeMax;
}

absl::StatusOr<std::string> KeyOf(const FetchClaim& claim) {
  if (claim.lifetime < absl::ZeroDuration() || claim.lifetime > FetchClaims::kLifetimeMax) {
    return absl::InvalidArgumentError(absl::StrCat("a claim holds for up to ",
                                                   absl::FormatDuration(FetchClaims::kLifetimeMax), ", not for ",
                                                   absl::FormatDuration(claim.lifetime)));
  }
  if (claim.holder.empty()) return absl::InvalidArgumentError("a claim has a holder");
  const absl::StatusOr<RepositoryName> upstream = RepositoryName::Parse(claim.upstream);
  if (!upstream.ok() || claim.upstream.find('/') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("no upstream has the name ", QuotedInput(claim.upstream)));
  }
  return keys::FetchClaim(*upstream, claim.digest);
}

}  // namespace

absl::StatusOr<bool> FetchClaims::Claim(const FetchClaim& claim) {
  ASSIGN_OR_RETURN(const std::string key, KeyOf(claim));
  const absl::Time now = clock_.Now();
  const bool gives_up = claim.lifetime == absl::ZeroDuration();
  bool granted = false;
  bool is_new = false;
  RETURN_IF_ERROR(kv_.Transact(
      {{key, kv::LockMode::kExclusive}},
      [&](kv::KvTransaction& transaction) -> absl::Status {
        granted = false;
        ASSIGN_OR_RETURN(const std::optional<FetchClaimRecord> before,
                         kv::ReadRecord<FetchClaimRecord>(transaction, key));
        const bool is_own = before.has_value() && before->holder() == claim.holder;
        if (before.has_value() && !is_own && Holds(*before, now)) return absl::OkStatus();
        if (gives_up) {
          if (before.has_value()) transaction.Delete(key);
          return absl::OkStatus();
        }
        FetchClaimRecord record;
        record.set_holder(claim.holder);
        *record.mutable_expires_at() = ToTimestamp(now + claim.lifetime);
        kv::WriteRecord(transaction, key, record);
        granted = true;
        is_new = !is_own;
        return absl::OkStatus();
      },
      kv::Durability::kBuffered));
  if (granted && is_new) RemoveExpired(now);
  return granted;
}

void FetchClaims::RemoveExpired(absl::Time now) {
  {
    absl::MutexLock lock(&mutex_);
    const absl::Duration since = now - expired_removed_at_;
    if (since >= absl::ZeroDuration() && since < kRemovalInterval) return;
    expired_removed_at_ = now;
  }
  const absl::StatusOr<std::vector<kv::KeyValue>> found = kv_.Scan({.prefix = keys::FetchClaims(), .limit = 1000});
  if (!found.ok()) return;
  std::vector<kv::Lock> locks;
  for (const kv::KeyValue& entry : *found) {
    const absl::StatusOr<FetchClaimRecord> record = kv::ParseRecord<FetchClaimRecord>(entry.key, entry.value);
    if (record.ok() && !Holds(*record, now) && locks.size() < kExpiredMax) locks.push_back({.key = entry.key});
  }
  if (locks.empty()) return;
  // If it fails, a later call removes them.
  kv_.Transact(
         locks,
         [&](kv::KvTransaction& transaction) -> absl::Status {
           for (const kv::Lock& lock : locks) {
             ASSIGN_OR_RETURN(const std::optional<FetchClaimRecord> record,
                              kv::ReadRecord<FetchClaimRecord>(transaction, lock.key));
             if (record.has_value() && !Holds(*record, now)) transaction.Delete(lock.key);
           }
           return absl::OkStatus();
         },
         kv::Durability::kBuffered)
      .IgnoreError();
}

}  // namespace entrepot::manifest
