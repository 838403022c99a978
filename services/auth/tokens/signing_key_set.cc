#include "services/auth/tokens/signing_key_set.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/auth_records.pb.h"
#include "services/auth/records/auth_keys.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/status/status_macros.h"
#include "services/token/claims.h"

namespace entrepot::auth {
namespace {

using storage::v1::SigningKeySetRecord;

std::vector<kv::Lock> Locks() { return {{keys::SigningKeys(), kv::LockMode::kExclusive}}; }

absl::StatusOr<std::optional<SigningKeySetRecord>> ReadKeys(kv::KvReader& kv) {
  return kv::ReadRecord<SigningKeySetRecord>(kv, keys::SigningKeys());
}

bool IsGood(const SigningKeySnapshot::Key& key, absl::Time now) {
  return !key.verifies_until.has_value() || now < *key.verifies_until;
}

absl::Status NoKeys() { return absl::DataLossError("the record of the signing keys is missing"); }

absl::Status TooManyOldKeys(const SigningKeySetRecord& record) {
  absl::Time first_end = absl::InfiniteFuture();
  for (const storage::v1::SigningKeyRecord& key : record.keys()) {
    if (key.has_verifies_until()) first_end = std::min(first_end, FromTimestamp(key.verifies_until()));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "there are ", SigningKeySet::kOldKeysMax, " old keys already that tokens in use may need; rotate again after ",
      absl::FormatTime(first_end, absl::UTCTimeZone()), ", when one of them is no longer needed"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SigningKeySet>> SigningKeySet::Open(kv::KvEngine* kv, const Clock* clock,
                                                                   const Options& options) {
  std::unique_ptr<SigningKeySet> set(new SigningKeySet(kv, clock, options));
  RETURN_IF_ERROR(set->MakeFirstKey());
  RETURN_IF_ERROR(set->ReadToSign().status());
  return set;
}

absl::Status SigningKeySet::MakeFirstKey() {
  ASSIGN_OR_RETURN(const std::optional<SigningKeySetRecord> before, ReadKeys(kv_));
  if (before.has_value()) return absl::OkStatus();
  const token::SigningKey key = token::SigningKey::Generate(options_.algorithm);
  return kv_.Transact(
      Locks(),
      [&](kv::KvTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const std::optional<SigningKeySetRecord> now_there, ReadKeys(transaction));
        if (now_there.has_value()) return absl::OkStatus();
        SigningKeySetRecord record;
        MakeActive(key, clock_.Now(), absl::InfiniteFuture(), &record);
        NoteTokenLifetime(options_.token_lifetime, &record);
        kv::WriteRecord(transaction, keys::SigningKeys(), record);
        return absl::OkStatus();
      },
      kv::Durability::kSynced);
}

absl::Status SigningKeySet::Rotate() {
  const token::SigningKey key = token::SigningKey::Generate(options_.algorithm);
  const absl::Time now = clock_.Now();
  RETURN_IF_ERROR(kv_.Transact(
      Locks(),
      [&](kv::KvTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(std::optional<SigningKeySetRecord> record, ReadKeys(transaction));
        if (!record.has_value() || record->keys().empty()) return NoKeys();
        NoteTokenLifetime(options_.token_lifetime, &*record);
        // While the KV is unavailable to another process, that process signs with the old key for up to kStaleMax.
        MakeActive(key, now, now + kStaleMax + LongestTokenLifetime(*record) + token::kLeeway, &*record);
        if (static_cast<size_t>(record->keys_size()) > 1 + kOldKeysMax) return TooManyOldKeys(*record);
        NoteTokenLifetime(options_.token_lifetime, &*record);
        kv::WriteRecord(transaction, keys::SigningKeys(), *record);
        return absl::OkStatus();
      },
      kv::Durability::kSynced));
  return Read().status();
}

absl::StatusOr<std::shared_ptr<const SigningKeySnapshot>> SigningKeySet::Read() {
  const absl::Time now = clock_.Now();
  ASSIGN_OR_RETURN(std::optional<std::string> value, kv_.Get(keys::SigningKeys()));
  if (!value.has_value()) return NoKeys();
  absl::MutexLock lock(&mutex_);
  if (snapshot_ == nullptr || *value != value_) {
    ASSIGN_OR_RETURN(const SigningKeySetRecord record,
                     kv::ParseRecord<SigningKeySetRecord>(keys::SigningKeys(), *value));
    ASSIGN_OR_RETURN(SigningKeySnapshot snapshot, SigningKeySnapshot::Of(record));
    snapshot_ = std::make_shared<const SigningKeySnapshot>(std::move(snapshot));
    value_ = *std::move(value);
  }
  read_at_ = now;
  return snapshot_;
}

absl::StatusOr<std::shared_ptr<const SigningKeySnapshot>> SigningKeySet::ReadToSign() {
  ASSIGN_OR_RETURN(std::shared_ptr<const SigningKeySnapshot> snapshot, Read());
  if (snapshot->longest_token_lifetime >= options_.token_lifetime) return snapshot;
  const absl::Status noted = kv_.Transact(
      Locks(),
      [&](kv::KvTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(std::optional<SigningKeySetRecord> record, ReadKeys(transaction));
        if (!record.has_value() || record->keys().empty()) return NoKeys();
        NoteTokenLifetime(options_.token_lifetime, &*record);
        kv::WriteRecord(transaction, keys::SigningKeys(), *record);
        return absl::OkStatus();
      },
      kv::Durability::kSynced);
  if (!noted.ok()) return snapshot;
  return Read();
}

std::vector<SigningKeySnapshot::Key> SigningKeySet::GoodKeys(const SigningKeySnapshot& snapshot) const {
  std::vector<SigningKeySnapshot::Key> good;
  const absl::Time now = clock_.Now();
  std::copy_if(snapshot.keys.begin(), snapshot.keys.end(), std::back_inserter(good),
               [&](const SigningKeySnapshot::Key& key) { return IsGood(key, now); });
  return good;
}

absl::StatusOr<token::SigningKey> SigningKeySet::Active() {
  std::shared_ptr<const SigningKeySnapshot> last;
  absl::Duration age;
  {
    absl::MutexLock lock(&mutex_);
    last = snapshot_;
    age = absl::AbsDuration(clock_.Now() - read_at_);
  }
  if (age < kReadAgainAfter) return last->active;
  const absl::StatusOr<std::shared_ptr<const SigningKeySnapshot>> now = ReadToSign();
  if (now.ok()) return (*now)->active;
  if (absl::IsUnavailable(now.status()) && age < kStaleMax) return last->active;
  return now.status();
}

absl::StatusOr<token::KeySet> SigningKeySet::VerificationKeys() {
  ASSIGN_OR_RETURN(const std::shared_ptr<const SigningKeySnapshot> snapshot, Read());
  std::vector<token::VerificationKey> keys;
  for (SigningKeySnapshot::Key& key : GoodKeys(*snapshot)) keys.push_back(std::move(key.key));
  return token::KeySet(keys);
}

absl::StatusOr<std::vector<SigningKeySet::KeyInfo>> SigningKeySet::List() {
  ASSIGN_OR_RETURN(const std::shared_ptr<const SigningKeySnapshot> snapshot, Read());
  std::vector<KeyInfo> list;
  for (const SigningKeySnapshot::Key& key : GoodKeys(*snapshot)) {
    list.push_back({.kid = key.key.kid(),
                    .algorithm = key.key.algorithm(),
                    .created_at = key.created_at,
                    .verifies_until = key.verifies_until});
  }
  std::reverse(list.begin(), list.end());
  return list;
}

}  // namespace entrepot::auth
