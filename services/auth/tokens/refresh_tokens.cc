#include "services/auth/tokens/refresh_tokens.h"

#include <cstdint>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "entrepot/storage/v1/auth_records.pb.h"
#include "services/auth/records/auth_keys.h"
#include "services/auth/records/secret.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using storage::v1::RefreshExpiryRecord;
using storage::v1::RefreshGenerationRecord;
using storage::v1::RefreshOfAccountRecord;
using storage::v1::RefreshTokenRecord;

// More than one per new token, so that their number decreases.
constexpr size_t kRemovedAtOnce = 4;
// In one transaction.
constexpr size_t kBeyondBoundAtOnce = 256;

std::string HashOf(absl::string_view token) { return absl::BytesToHexString(Sha256(token)); }

absl::StatusOr<uint64_t> ReadGeneration(kv::KvReader& kv, absl::string_view account) {
  ASSIGN_OR_RETURN(const std::optional<RefreshGenerationRecord> record,
                   kv::ReadRecord<RefreshGenerationRecord>(kv, keys::RefreshGeneration(account)));
  return record.has_value() ? record->generation() : 0;
}

// Deletes all records of a token. `account` is empty for a token of an early version, which the account's list lacks.
void Remove(absl::string_view account, const keys::Expiry& token, kv::KvTransaction& transaction) {
  transaction.Delete(keys::RefreshToken(token.token_hash));
  transaction.Delete(keys::RefreshExpiry(token.expires_at, token.token_hash));
  if (!account.empty()) transaction.Delete(keys::RefreshOfAccount(account, token.expires_at, token.token_hash));
}

}  // namespace

absl::StatusOr<std::string> RefreshTokens::Issue(const Holder& holder) {
  std::string token = NewSecret(kRefreshTokenPrefix);
  const std::string hash = HashOf(token);
  const absl::Time now = clock_.Now();
  RefreshTokenRecord record;
  record.set_account(holder.account);
  record.set_client_id(holder.client_id);
  record.set_credential_sha256(holder.credential_sha256);
  *record.mutable_created_at() = ToTimestamp(now);
  *record.mutable_expires_at() = ToTimestamp(now + lifetime_);
  const kv::Lock lock{.key = keys::RefreshGeneration(holder.account), .mode = kv::LockMode::kShared};
  RETURN_IF_ERROR(kv_.Transact({lock}, [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const uint64_t generation, ReadGeneration(transaction, holder.account));
    record.set_generation(generation);
    kv::WriteRecord(transaction, keys::RefreshToken(hash), record);
    RefreshExpiryRecord expiry;
    expiry.set_account(holder.account);
    kv::WriteRecord(transaction, keys::RefreshExpiry(now + lifetime_, hash), expiry);
    kv::WriteRecord(transaction, keys::RefreshOfAccount(holder.account, now + lifetime_, hash),
                    RefreshOfAccountRecord());
    return RemoveSomeExpired(transaction, now);
  }));
  // The new token is good whether this succeeds or not.
  if (absl::Uniform(absl::BitGen(), 0, bound_.every) == 0) KeepBound(holder.account).IgnoreError();
  return token;
}

absl::StatusOr<std::optional<RefreshTokens::Holder>> RefreshTokens::Find(absl::string_view token) const {
  ASSIGN_OR_RETURN(const std::optional<RefreshTokenRecord> record,
                   kv::ReadRecord<RefreshTokenRecord>(kv_, keys::RefreshToken(HashOf(token))));
  if (!record.has_value() || FromTimestamp(record->expires_at()) <= clock_.Now()) return std::nullopt;
  ASSIGN_OR_RETURN(const uint64_t generation, ReadGeneration(kv_, record->account()));
  if (generation != record->generation()) return std::nullopt;
  return Holder{
      .account = record->account(), .client_id = record->client_id(), .credential_sha256 = record->credential_sha256()};
}

absl::Status RefreshTokens::RevokeAll(absl::string_view account) {
  return kv_.Transact({LockOf(account)},
                      [&](kv::KvTransaction& transaction) { return RevokeAll(transaction, account); });
}

kv::Lock RefreshTokens::LockOf(absl::string_view account) { return {.key = keys::RefreshGeneration(account)}; }

absl::Status RefreshTokens::RevokeAll(kv::KvTransaction& transaction, absl::string_view account) {
  ASSIGN_OR_RETURN(const uint64_t generation, ReadGeneration(transaction, account));
  RefreshGenerationRecord record;
  record.set_generation(generation + 1);
  kv::WriteRecord(transaction, keys::RefreshGeneration(account), record);
  return absl::OkStatus();
}

absl::Status RefreshTokens::RemoveSomeExpired(kv::KvTransaction& transaction, absl::Time now) const {
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> oldest,
                   transaction.Scan({.prefix = keys::RefreshExpiries(), .start_after = "", .limit = kRemovedAtOnce}));
  for (const kv::KeyValue& entry : oldest) {
    ASSIGN_OR_RETURN(const keys::Expiry expiry, keys::DecodeRefreshExpiry(entry.key));
    if (expiry.expires_at > now) break;
    RefreshExpiryRecord record;
    Remove(record.ParseFromString(entry.value) ? record.account() : "", expiry, transaction);
  }
  return absl::OkStatus();
}

absl::Status RefreshTokens::KeepBound(const std::string& account) {
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> found,
                   kv_.Scan({.prefix = keys::RefreshesOfAccount(account),
                             .start_after = "",
                             .limit = bound_.of_account_max + kBeyondBoundAtOnce}));
  if (found.size() <= bound_.of_account_max) return absl::OkStatus();
  return kv_.Transact({LockOf(account)}, [&](kv::KvTransaction& transaction) -> absl::Status {
    for (size_t i = 0; i < found.size() - bound_.of_account_max; ++i) {
      ASSIGN_OR_RETURN(const keys::Expiry expiry, keys::DecodeRefreshOfAccount(account, found[i].key));
      Remove(account, expiry, transaction);
    }
    return absl::OkStatus();
  });
}

}  // namespace entrepot::auth
